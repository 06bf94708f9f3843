#if canImport(CoreML)
import CoreML
import CoreVideo
import Foundation
import TinyMLCore

/// Core ML as the benchmark drives it: one frame of a camera's size, resized, predicted and read.
///
/// Each kind of compute units gets a compiled copy of its own that nothing else has ever loaded: Core ML keeps what it
/// prepared by a model's path and units, so a first load from the app's own cache would not be a first one.
public struct CoreMLBenchmarkBackend: BenchmarkBackend {
    public let name = "coreml"
    private let model: InstalledModel
    private let frame: CVPixelBuffer
    private let breadcrumb: LoadBreadcrumb?
    private let copies: Copies

    /// A backend for one model, whose compiled copies lie in `folder` until `removeCopies`.
    public init(
        model: InstalledModel, folder: URL = AppFolders.caches, breadcrumb: LoadBreadcrumb? = nil
    ) throws {
        guard model.facts.format == .coreml else { throw AppleError.onlyCoreML(name: model.facts.path) }
        self.model = model
        self.breadcrumb = breadcrumb
        copies = Copies(folder: folder.appendingPathComponent("Benchmark-\(UUID().uuidString)", isDirectory: true))
        frame = try PixelBufferBridge.makeBuffer(width: 640, height: 480)
        let bytes = (0..<640 * 480 * 3).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 1920) }
        try PixelBufferBridge.write(RGBImage(width: 640, height: 480, bytes: bytes), to: frame)
    }

    public func prepare() throws { try model.verifyChecksums() }

    public func compile() throws {
        let crumb = try breadcrumb?.lay(LoadBreadcrumb.Content(model.facts, units: .all))
        defer { crumb?.clear() }
        copies.temporary = try CompiledModelCache.compile(model.package)
    }

    public func store() throws { try copies.store() }

    /// The breadcrumb lies until the first frame is through, since it is there that a driver may crash.
    public func load(units: Units) throws -> any BenchmarkSession {
        let crumb = try breadcrumb?.lay(LoadBreadcrumb.Content(model.facts, units: units))
        do {
            let classifier = try CoreMLClassifier(
                compiled: copies.copy(for: units), name: model.facts.path, units: units,
                preprocess: model.facts.preprocess)
            return Session(classifier: classifier, frame: frame, crumb: crumb)
        } catch {
            crumb?.clear()
            throw error
        }
    }

    /// What the compute plan says, where the system can say it; a plan that fails leaves the placement absent.
    public func placement(units: Units) -> Placement? {
        guard #available(iOS 17.4, macOS 14.4, *), let compiled = try? copies.copy(for: units) else { return nil }
        let crumb = try? breadcrumb?.lay(LoadBreadcrumb.Content(model.facts, units: units))
        defer { crumb?.clear() }
        let plan = try? Blocking.value { try await ComputePlanReader.plan(compiled: compiled, units: units) }
        return plan?.placement
    }

    /// Removes the compiled copies once nothing is loaded from them any more.
    func removeCopies() { copies.remove() }

    /// The compiled copies: the newest, and those that a kind of compute units was loaded from.
    private final class Copies {
        private let folder: URL
        var temporary: URL?
        private var newest: URL?
        private var used: [Units: URL] = [:]

        init(folder: URL) { self.folder = folder }

        func store() throws {
            guard let temporary else { return }
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let place = folder.appendingPathComponent("\(UUID().uuidString).mlmodelc", isDirectory: true)
            try FileManager.default.moveItem(at: temporary, to: place)
            newest = place
            self.temporary = nil
        }

        func copy(for units: Units) throws -> URL {
            guard let copy = used[units] ?? newest else { throw CancellationError() }
            used[units] = copy
            return copy
        }

        func remove() {
            // What stays is in Caches, which the system empties.
            try? FileManager.default.removeItem(at: folder)
        }
    }

    private final class Session: BenchmarkSession {
        private let classifier: CoreMLClassifier
        private let frame: CVPixelBuffer
        private var crumb: LoadBreadcrumb.Crumb?
        private var output: (any MLFeatureProvider)?

        init(classifier: CoreMLClassifier, frame: CVPixelBuffer, crumb: LoadBreadcrumb.Crumb?) {
            self.crumb = crumb
            self.classifier = classifier
            self.frame = frame
        }

        deinit { crumb?.clear() }

        func preprocess() throws { try classifier.prepare(frame) }
        func predict() throws { output = try classifier.run() }

        func postprocess() throws {
            _ = try output.map(classifier.top)
            crumb?.clear()
            crumb = nil
        }
    }
}
#endif
