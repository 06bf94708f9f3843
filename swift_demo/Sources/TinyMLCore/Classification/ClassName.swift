import Foundation

/// How a class is shown: data sets list its synonyms after commas, as in "European fire salamander, Salamandra
/// salamandra".
public struct ClassName: Hashable, Sendable {
    /// The first name, or the whole label where the first name alone would not tell it from another class.
    public let short: String
    /// The other names; nil for none.
    public let synonyms: String?

    /// The name of a class that stands alone.
    public init(_ label: String) {
        let names = label.split(separator: ",", omittingEmptySubsequences: true)
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        short = names.first ?? label
        synonyms = names.count > 1 ? names.dropFirst().joined(separator: ", ") : nil
    }

    fileprivate init(whole label: String) {
        short = label
        synonyms = nil
    }
}

/// The names of classes that are shown together: two with the same first name ("crane", the bird and the machine) are
/// told in full.
public struct ClassNames: Hashable, Sendable {
    private let ambiguous: Set<String>

    public init(of labels: some Sequence<String>) {
        var seen: Set<String> = []
        ambiguous = Set(Set(labels).map { ClassName($0).short }.filter { !seen.insert($0).inserted })
    }

    public init(of predictions: some Sequence<Prediction>) { self.init(of: predictions.map(\.label)) }

    public subscript(label: String) -> ClassName {
        let name = ClassName(label)
        return ambiguous.contains(name.short) ? ClassName(whole: label) : name
    }
}
