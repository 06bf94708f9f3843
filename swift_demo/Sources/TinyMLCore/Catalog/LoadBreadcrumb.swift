import Foundation

/// Files that say which models are being compiled, loaded, planned or tried for the first time.
///
/// A compile failure in the Neural Engine's driver can end the app without an error. Its file is then still there at
/// the next launch, and the app can offer the CPU. Each piece of work lays a file of its own, so that one that ends
/// takes no other's away, and a file tells its process, so that what another window has under way is no crash.
public struct LoadBreadcrumb: Sendable {
    public struct Content: Codable, Hashable, Sendable {
        public let artifactSHA256: String
        public let name: String
        public let units: Units
    }

    /// One laid file, until it is taken up again.
    public struct Crumb: Sendable {
        fileprivate let file: URL

        /// Takes the breadcrumb up.
        public func clear() {
            // A file that is not there is as good as one removed.
            try? FileManager.default.removeItem(at: file)
        }
    }

    private static let prefix = "loading-"
    /// A name that no other launch of the app has.
    private static let thisProcess = UUID().uuidString

    private let folder: URL
    private let process: String

    /// Breadcrumbs in `folder`, which is made when it is first needed.
    public init(folder: URL) {
        self.init(folder: folder, process: Self.thisProcess)
    }

    /// Breadcrumbs of some other launch.
    init(folder: URL, process: String) {
        self.folder = folder
        self.process = process
    }

    /// What an earlier launch had under way when it ended; nil where it ended in order.
    public var leftover: Content? {
        // A breadcrumb that cannot be read names no model, and so there is nothing to offer for it.
        leftovers.lazy.compactMap { try? JSONDecoder().decode(Content.self, from: Data(contentsOf: $0)) }.first
    }

    /// Takes up what earlier launches left.
    public func forgetLeftovers() { leftovers.map(Crumb.init).forEach { $0.clear() } }

    /// Does `work` with a breadcrumb laid; it is taken up again when `work` returns or throws.
    public func during<Result>(_ content: Content, _ work: () throws -> Result) throws -> Result {
        let crumb = try lay(content)
        defer { crumb.clear() }
        return try work()
    }

    /// Lays a breadcrumb.
    public func lay(_ content: Content) throws -> Crumb {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("\(Self.prefix)\(process)-\(UUID().uuidString).json")
        try JSONEncoder().encode(content).write(to: file, options: .atomic)
        return Crumb(file: file)
    }

    private var leftovers: [URL] {
        let found = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        let own = "\(Self.prefix)\(process)"
        return found.filter { file in
            let name = file.lastPathComponent
            return name.hasPrefix(Self.prefix) && !name.hasPrefix(own)
        }.sorted { $0.path < $1.path }
    }
}

extension LoadBreadcrumb.Content {
    public init(_ facts: ModelFacts, units: Units) {
        self.init(artifactSHA256: facts.sha256, name: "\(facts.architecture) \(facts.variant)", units: units)
    }
}
