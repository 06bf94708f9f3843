#if canImport(CoreML)
import CoreML
import CoreVideo
import Foundation
import TinyMLCore

/// Core ML as the benchmark drives it: one frame of a camera's size, resized, predicted and read.
public struct CoreMLBenchmarkBackend: BenchmarkBackend {
    public let name = "coreml"
    private let model: InstalledModel
    private let cache: CompiledModelCache
    private let frame: CVPixelBuffer
    private let plans: [Units: Placement]
    private let breadcrumb: LoadBreadcrumb?
    private let compilation = Compilation()

    /// A backend for one model. `plans` holds what the compute plan said, where somebody looked beforehand: it can
    /// only be asked asynchronously.
    public init(
        model: InstalledModel, cache: CompiledModelCache = .standard, plans: [Units: Placement] = [:],
        breadcrumb: LoadBreadcrumb? = nil
    ) throws {
        self.model = model
        self.breadcrumb = breadcrumb
        self.cache = cache
        self.plans = plans
        frame = try PixelBufferBridge.makeBuffer(width: 640, height: 480)
        let bytes = (0..<640 * 480 * 3).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 1920) }
        try PixelBufferBridge.write(RGBImage(width: 640, height: 480, bytes: bytes), to: frame)
    }

    public func prepare() throws { try model.verifyChecksums() }

    public func compile() throws {
        try breadcrumb?.lay(LoadBreadcrumb.Content(model.facts, units: .all))
        defer { breadcrumb?.clear() }
        compilation.url = try CompiledModelCache.compile(model.package)
    }

    public func store() throws {
        guard let url = compilation.url else { return }
        try cache.store(url, for: model)
        compilation.url = nil
    }

    /// The breadcrumb lies until the first frame is through, since it is there that a driver may crash.
    public func load(units: Units) throws -> any BenchmarkSession {
        try breadcrumb?.lay(LoadBreadcrumb.Content(model.facts, units: units))
        do {
            let classifier = try CoreMLClassifier(
                compiled: cache.compiled(model), name: model.facts.path, units: units,
                preprocess: model.facts.preprocess)
            return Session(classifier: classifier, frame: frame, breadcrumb: breadcrumb)
        } catch {
            breadcrumb?.clear()
            throw error
        }
    }

    public func placement(units: Units) -> Placement? { plans[units] }

    /// What was compiled and not yet put into the cache.
    private final class Compilation {
        var url: URL?
    }

    private final class Session: BenchmarkSession {
        private let classifier: CoreMLClassifier
        private let frame: CVPixelBuffer
        private var breadcrumb: LoadBreadcrumb?
        private var output: (any MLFeatureProvider)?

        init(classifier: CoreMLClassifier, frame: CVPixelBuffer, breadcrumb: LoadBreadcrumb?) {
            self.breadcrumb = breadcrumb
            self.classifier = classifier
            self.frame = frame
        }

        func preprocess() throws { try classifier.prepare(frame) }
        func predict() throws { output = try classifier.run() }

        func postprocess() throws {
            _ = try output.map(classifier.top)
            breadcrumb?.clear()
            breadcrumb = nil
        }
    }
}
#endif
