import Foundation

/// The runs that were measured on this device, one file each, newest first.
public struct BenchmarkHistory: Sendable {
    /// A run and the file that holds it.
    public struct Entry: Hashable, Sendable, Identifiable {
        public let file: URL
        public let run: BenchRun

        public var id: String { file.lastPathComponent }

        /// The models that the run measured, each once, as "densenet coreml-w8".
        public var models: [String] {
            var seen: Set<String> = []
            return run.results.map { "\($0.case.model) \($0.case.variant)" }.filter { seen.insert($0).inserted }
        }

        /// Whether a flag says of any result that it tells nothing of the device.
        public var isInvalid: Bool { run.results.contains(where: \.isInvalid) }
    }

    private let folder: URL

    /// The history in `folder`, which is made when it is first needed.
    public init(folder: URL) {
        self.folder = folder
    }

    /// Every run, newest first, and the files that cannot be read.
    public func contents() -> (entries: [Entry], refused: [ModelCatalog.Refusal]) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        var entries: [Entry] = []
        var refused: [ModelCatalog.Refusal] = []
        for name in names.sorted() where name.hasSuffix(".json") {
            let file = folder.appendingPathComponent(name)
            do {
                entries.append(Entry(file: file, run: try BenchRun(contentsOf: file)))
            } catch {
                refused.append(ModelCatalog.Refusal(folder: name, reason: Phrase(of: error)))
            }
        }
        entries.sort { ($0.run.provenance.createdAt, $0.id) > ($1.run.provenance.createdAt, $1.id) }
        return (entries, refused)
    }

    /// Keeps a run; an earlier one of the same name stays.
    ///
    /// - Throws: Foundation's error where the file cannot be written.
    public func add(_ run: BenchRun) throws -> Entry {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = FreeName.file(in: folder, stem: run.id, pathExtension: "json")
        try run.json().write(to: file, options: .atomic)
        return Entry(file: file, run: run)
    }

    /// Deletes a file of the history, by the name that `contents` gave it.
    ///
    /// - Throws: `FileAccessError.absent` where there is none, or Foundation's error.
    public func remove(_ name: String) throws {
        let file = folder.appendingPathComponent(name)
        guard !name.contains("/"), name.hasSuffix(".json"), FileManager.default.fileExists(atPath: file.path) else {
            throw FileAccessError.absent(name: name)
        }
        try FileManager.default.removeItem(at: file)
    }
}
