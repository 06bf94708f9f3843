#if canImport(CoreML)
import CoreML
import Foundation
import TinyMLCore

/// Compiled models, kept between launches: one for each content hash and build of the system.
///
/// Core ML compiles into a temporary folder that the system may empty; the result is moved out of it.
public struct CompiledModelCache: Sendable {
    private let folder: URL

    /// The cache in `folder`, which is made when it is first needed.
    public init(folder: URL) {
        self.folder = folder
    }

    /// The cache that the app and the command line use.
    public static var standard: CompiledModelCache {
        CompiledModelCache(folder: AppFolders.support.appendingPathComponent("Compiled", isDirectory: true))
    }

    /// The compiled model, compiled now if that was not done before.
    public func compiled(_ model: InstalledModel) throws -> URL {
        let place = place(of: model.facts.sha256)
        return FileManager.default.fileExists(atPath: place.path) ? place : try recompiled(model)
    }

    /// The compiled model, compiled now whatever lies in the cache.
    @discardableResult
    public func recompiled(_ model: InstalledModel) throws -> URL {
        try model.verifyChecksums()
        return try store(Self.compile(model.package), for: model)
    }

    /// Moves what was compiled of a model into the cache, in the place of what lies there.
    @discardableResult
    func store(_ temporary: URL, for model: InstalledModel) throws -> URL {
        let place = place(of: model.facts.sha256)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try removeCopies(of: model.facts.sha256)
        try FileManager.default.moveItem(at: temporary, to: place)
        return place
    }

    private func place(of sha256: String) -> URL {
        let build = SystemFacts.osBuild ?? SystemFacts.osVersion
        return folder.appendingPathComponent("\(sha256)-\(build).mlmodelc", isDirectory: true)
    }

    /// Removes what was compiled of a model.
    func remove(_ model: InstalledModel) throws {
        guard FileManager.default.fileExists(atPath: folder.path) else { return }
        try removeCopies(of: model.facts.sha256)
    }

    /// What lies in the cache, in bytes.
    func bytes() throws -> Int { try FileSize.bytes(of: folder) }

    /// Removes what was compiled of a model, for this build of the system and for those before.
    private func removeCopies(of sha256: String) throws {
        let found = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        for copy in found where copy.lastPathComponent.hasPrefix(sha256) {
            try FileManager.default.removeItem(at: copy)
        }
    }

    /// Compiles and waits: Core ML's synchronous compiling is deprecated, and callers are on queues of their own.
    static func compile(_ package: URL) throws -> URL {
        let done = DispatchSemaphore(value: 0)
        let box = ResultBox()
        MLModel.compileModel(at: package) { result in
            box.set(result)
            done.signal()
        }
        done.wait()
        return try box.value()
    }

    /// Carries a result from Core ML's queue to the waiting one.
    private final class ResultBox: @unchecked Sendable {
        private let lock = NSLock()
        private var result: Result<URL, any Error>?

        func set(_ result: Result<URL, any Error>) { lock.withLock { self.result = result } }

        func value() throws -> URL {
            guard let result = lock.withLock({ self.result }) else { throw CancellationError() }
            return try result.get()
        }
    }
}
#endif
