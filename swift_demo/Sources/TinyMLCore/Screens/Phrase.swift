import Foundation

/// A text on a screen: a key of the string catalog with its values, or words that are the same in every language.
public struct Phrase: Hashable, Sendable, ExpressibleByStringLiteral {
    private let key: String
    private let values: [String]
    private let isVerbatim: Bool

    /// A key of the string catalog; each `%@` in it stands for one of `values`.
    public init(_ key: String, _ values: String...) {
        self.init(key: key, values: values, isVerbatim: false)
    }

    public init(stringLiteral value: String) {
        self.init(key: value, values: [], isVerbatim: false)
    }

    private init(key: String, values: [String], isVerbatim: Bool) {
        self.key = key
        self.values = values
        self.isVerbatim = isVerbatim
    }

    /// Names, numbers and what others wrote.
    public static func verbatim(_ text: String) -> Phrase {
        Phrase(key: text, values: [], isVerbatim: true)
    }

    /// The words; `translate` gives a key's text in the language of the reader.
    public func text(_ translate: (String) -> String) -> String {
        guard !isVerbatim else { return key }
        // `String(format:)` would read a percent sign in a translation as a place for a value.
        let pieces = translate(key).components(separatedBy: "%@")
        var text = pieces[0]
        for (index, piece) in pieces.dropFirst().enumerated() {
            text += (index < values.count ? values[index] : "") + piece
        }
        return text
    }

    /// The words in the user's language, from the app's string catalog.
    public var localized: String {
        text { Bundle.main.localizedString(forKey: $0, value: nil, table: nil) }
    }
}
