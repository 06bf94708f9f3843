#if canImport(CoreML)
import CoreML
import Foundation
import TinyMLCore

/// Compiles models and keeps the results; Core ML itself leaves them in a folder that is emptied at any time.
public struct CompiledModelCache: Sendable {
    private let models: CompiledModels

    /// The cache in `folder`.
    public init(folder: URL) {
        models = CompiledModels(folder: folder, build: SystemFacts.osBuild ?? SystemFacts.osVersion)
    }

    /// The cache that the app uses.
    public static var standard: CompiledModelCache {
        CompiledModelCache(folder: AppFolders.caches.appendingPathComponent("Compiled", isDirectory: true))
    }

    /// The compiled model, compiled now if that was not done before. Blocks: call it on a `WorkQueue`.
    public func compiled(_ model: InstalledModel) throws -> URL {
        if let place = models.model(model.facts.sha256) { return place }
        try model.verifyChecksums()
        return try models.store(Self.compile(model.package), as: model.facts.sha256)
    }

    /// Removes what was compiled of models that are gone, and where earlier versions of this app kept such copies.
    public func keep(only installed: [InstalledModel]) {
        models.keep(only: Set(installed.map(\.facts.sha256)))
        try? FileManager.default.removeItem(at: AppFolders.support.appendingPathComponent("Compiled"))
    }

    /// Removes what was compiled of a model.
    func remove(_ model: InstalledModel) throws { try models.remove(model.facts.sha256) }

    /// What lies in the cache, in bytes.
    func bytes() throws -> Int { try models.bytes() }

    /// Compiles and waits: Core ML's synchronous compiling is deprecated, and callers are on queues of their own.
    static func compile(_ package: URL) throws -> URL {
        try Blocking.value { try await MLModel.compileModel(at: package) }
    }
}
#endif
