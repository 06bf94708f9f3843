import Foundation

/// The recorded answers on this device, one file each.
public struct AnswerRecordings: Sendable {
    /// One file of recorded answers.
    public struct Recording: Hashable, Sendable, Identifiable {
        public let file: URL
        public let bytes: Int

        public var id: String { file.lastPathComponent }

        public init(file: URL, bytes: Int) {
            self.file = file
            self.bytes = bytes
        }
    }

    private let folder: URL

    /// The recordings in `folder`, which is made when it is first needed.
    public init(folder: URL) {
        self.folder = folder
    }

    /// Every recording, newest first.
    public func contents() -> [Recording] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".csv") }.sorted(by: >).map { name in
            let file = folder.appendingPathComponent(name)
            return Recording(file: file, bytes: (try? FileSize.bytes(of: file)) ?? 0)
        }
    }

    /// Begins a recording.
    ///
    /// - Throws: Foundation's error where it cannot be written.
    public func begin() throws -> AnswerLog { try AnswerLog(folder: folder) }

    /// Deletes a recording, by the name that `contents` gave it.
    ///
    /// - Throws: `FileAccessError.absent` where there is none, or Foundation's error.
    public func remove(_ name: String) throws {
        let file = folder.appendingPathComponent(name)
        guard !name.contains("/"), name.hasSuffix(".csv"), FileManager.default.fileExists(atPath: file.path) else {
            throw FileAccessError.absent(name: name)
        }
        try FileManager.default.removeItem(at: file)
    }
}
