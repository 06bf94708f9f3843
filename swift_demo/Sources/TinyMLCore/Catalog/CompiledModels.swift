import Foundation

/// Compiled models on disk, kept between launches: one for each content hash and build of the system.
///
/// They lie in the system's caches: they can be made again at any time, so they belong into no backup, and the system
/// may remove them when space runs out.
public struct CompiledModels: Sendable {
    private let folder: URL
    private let build: String

    /// The compiled models in `folder`, which is made when it is first needed, of one build of the system.
    public init(folder: URL, build: String) {
        self.folder = folder
        self.build = build
    }

    /// The compiled model of a content hash; nil where there is none for this build.
    public func model(_ sha256: String) -> URL? {
        let place = place(of: sha256)
        return FileManager.default.fileExists(atPath: place.path) ? place : nil
    }

    /// Moves what was compiled in here, in the place of every earlier copy of it.
    public func store(_ temporary: URL, as sha256: String) throws -> URL {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try remove(sha256)
        let place = place(of: sha256)
        try FileManager.default.moveItem(at: temporary, to: place)
        return place
    }

    /// Removes every copy of a model, for this build of the system and for those before.
    public func remove(_ sha256: String) throws {
        guard FileManager.default.fileExists(atPath: folder.path) else { return }
        for copy in try contents() where copy.lastPathComponent.hasPrefix("\(sha256)-") {
            try FileManager.default.removeItem(at: copy)
        }
    }

    /// What all of it takes up, in bytes.
    public func bytes() throws -> Int { try FileSize.bytes(of: folder) }

    /// Removes everything but this build's copies of some models: those of models that are gone, of earlier builds, and
    /// what an interrupted measurement left behind.
    public func keep(only hashes: Set<String>) {
        let kept = Set(hashes.map { place(of: $0).lastPathComponent })
        for copy in (try? contents()) ?? [] where !kept.contains(copy.lastPathComponent) {
            // One that is in use cannot always be removed, and is then removed another time.
            try? FileManager.default.removeItem(at: copy)
        }
    }

    private func place(of sha256: String) -> URL {
        folder.appendingPathComponent("\(sha256)-\(build).mlmodelc", isDirectory: true)
    }

    private func contents() throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    }
}
