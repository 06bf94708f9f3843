import Foundation

/// A text for the user: a key of the string catalog with its values, or words that are the same in every language.
public struct Phrase: Hashable, Sendable, ExpressibleByStringLiteral {
    private let key: String
    private let values: [Phrase]
    private let kind: Kind

    private enum Kind: Hashable, Sendable {
        /// A key of the string catalog.
        case catalog
        /// Nothing but punctuation between values.
        case template
        case verbatim
    }

    /// A key of the string catalog; each `%@` in it stands for the next of `values`, `%2$@` for the second one.
    public init(_ key: String, _ values: String...) {
        self.init(key: key, values: values.map(Phrase.verbatim), kind: .catalog)
    }

    /// A key whose values have a text in each language themselves.
    public init(_ key: String, phrases: [Phrase]) {
        self.init(key: key, values: phrases, kind: .catalog)
    }

    public init(stringLiteral value: String) {
        self.init(key: value, values: [], kind: .catalog)
    }

    private init(key: String, values: [Phrase], kind: Kind) {
        self.key = key
        self.values = values
        self.kind = kind
    }

    /// Names, numbers and what others wrote.
    public static func verbatim(_ text: String) -> Phrase {
        Phrase(key: text, values: [], kind: .verbatim)
    }

    /// Phrases with commas between them.
    public static func list(_ phrases: [Phrase]) -> Phrase { joined(phrases, ", ") }

    /// Whole sentences one after the other.
    public static func sentences(_ phrases: [Phrase]) -> Phrase { joined(phrases, " ") }

    private static func joined(_ phrases: [Phrase], _ separator: String) -> Phrase {
        Phrase(key: phrases.map { _ in "%@" }.joined(separator: separator), values: phrases, kind: .template)
    }

    /// What an error says: ours in the user's language, any other as the system words it.
    public init(of error: any Error) {
        self = (error as? any ExplainedError)?.phrase ?? .verbatim(Self.told(error))
    }

    /// The words; `translate` gives a key's text in the language of the reader.
    public func text(_ translate: (String) -> String) -> String {
        guard kind != .verbatim else { return key }
        // `String(format:)` would read a percent sign in a translation as a place for a value.
        let pieces = (kind == .catalog ? translate(key) : key).components(separatedBy: "%")
        var text = pieces[0]
        var next = 0
        for piece in pieces.dropFirst() {
            if piece.hasPrefix("@") {
                text += value(next, translate) + piece.dropFirst()
                next += 1
            } else if let place = piece.first?.wholeNumberValue, place > 0, piece.dropFirst().hasPrefix("$@") {
                text += value(place - 1, translate) + piece.dropFirst(3)
            } else {
                text += "%" + piece
            }
        }
        return text
    }

    /// The words in English: keys are their own English texts.
    public var english: String { text { $0 } }

    /// The words in the user's language, from the app's string catalog.
    public var localized: String {
        text { Bundle.main.localizedString(forKey: $0, value: nil, table: nil) }
    }

    private func value(_ index: Int, _ translate: (String) -> String) -> String {
        index < values.count ? values[index].text(translate) : ""
    }

    private static func told(_ error: any Error) -> String {
        #if canImport(ObjectiveC)
        error.localizedDescription
        #else
        "\(error)"
        #endif
    }
}

/// An error of ours, which says in one sentence for the user what is wrong and what to do; `description` is the
/// sentence in English.
public protocol ExplainedError: Error, CustomStringConvertible {
    var phrase: Phrase { get }
}

extension ExplainedError {
    public var description: String { phrase.english }
}
