import Foundation

/// A file that says which model is being compiled, loaded or tried for the first time.
///
/// A compile failure in the Neural Engine's driver can end the app without an error. The file is then still there at
/// the next launch, and the app can offer the CPU.
public struct LoadBreadcrumb: Sendable {
    public struct Content: Codable, Hashable, Sendable {
        public let artifactSHA256: String
        public let name: String
        public let units: Units
    }

    private let file: URL

    /// A breadcrumb in `folder`, which is made when it is first needed.
    public init(folder: URL) {
        file = folder.appendingPathComponent("loading.json")
    }

    /// What was under way when the app ended; nil where it ended in order.
    public var leftover: Content? {
        // A breadcrumb that cannot be read names no model, and so there is nothing to offer for it.
        (try? Data(contentsOf: file)).flatMap { try? JSONDecoder().decode(Content.self, from: $0) }
    }

    /// Does `work` with the breadcrumb laid; it is taken up again when `work` returns or throws.
    public func during<Result>(_ content: Content, _ work: () throws -> Result) throws -> Result {
        try lay(content)
        defer { clear() }
        return try work()
    }

    /// Lays the breadcrumb.
    public func lay(_ content: Content) throws {
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try JSONEncoder().encode(content).write(to: file, options: .atomic)
    }

    /// Takes the breadcrumb up.
    public func clear() {
        // A file that is not there is as good as one removed.
        try? FileManager.default.removeItem(at: file)
    }
}

extension LoadBreadcrumb.Content {
    public init(_ facts: ModelFacts, units: Units) {
        self.init(artifactSHA256: facts.sha256, name: "\(facts.architecture) \(facts.variant)", units: units)
    }
}
