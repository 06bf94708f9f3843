import Foundation

/// A piece of text on a screen: a key of the string catalogue with its values, or words that are the same everywhere.
public struct Phrase: Hashable, Sendable, ExpressibleByStringLiteral {
    let key: String
    let values: [String]
    let isVerbatim: Bool

    /// A key of the string catalogue; each `%@` in it stands for one of `values`.
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

    /// The words, looked up with `translate`.
    public func text(_ translate: (String) -> String) -> String {
        guard !isVerbatim else { return key }
        // Not `String(format:)`: a value may hold a percent sign, and Foundation wants CVarArgs for `%@`.
        let pieces = translate(key).components(separatedBy: "%@")
        return zip(pieces, values + Array(repeating: "", count: max(0, pieces.count - values.count)))
            .map { $0 + $1 }.joined()
    }
}
