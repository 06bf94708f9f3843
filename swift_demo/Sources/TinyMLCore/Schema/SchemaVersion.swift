/// The version of the files that the Python tool and this package exchange.
///
/// A minor version adds optional fields, a major one changes meanings. Files of the same major version and the same or
/// an older minor one are read; a newer file is refused, since what it adds may change what a number means.
public struct SchemaVersion: Comparable, Hashable, Sendable, CustomStringConvertible {
    /// The version that this package writes.
    public static let current = SchemaVersion(major: 2, minor: 1)

    public let major: Int
    public let minor: Int

    public var description: String { "\(major).\(minor)" }

    init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// The version in a text like "1.0"; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isNumber = { (part: Substring) in
            (1...6).contains(part.count) && part.utf8.allSatisfy { (48...57).contains($0) }
        }
        guard parts.count == 2, parts.allSatisfy(isNumber), let major = Int(parts[0]), let minor = Int(parts[1]) else {
            return nil
        }
        self.init(major: major, minor: minor)
    }

    public static func < (left: SchemaVersion, right: SchemaVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
