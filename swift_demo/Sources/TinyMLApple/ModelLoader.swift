#if canImport(CoreML)
import Foundation
import TinyMLCore

/// Compiles and loads models on a queue of its own, with a breadcrumb laid: what a crash leaves behind is found at the
/// next launch.
public final class ModelLoader: ModelShelf {
    private let queue = WorkQueue(label: "TinyMLDemo.loader")
    private let cache: CompiledModelCache
    public let breadcrumb: LoadBreadcrumb

    public init(cache: CompiledModelCache = .standard, breadcrumb: LoadBreadcrumb = .init(folder: AppFolders.support)) {
        self.cache = cache
        self.breadcrumb = breadcrumb
    }

    /// A classifier that has made one prediction, so that the breadcrumb covers what may crash.
    public func load(_ model: InstalledModel, units: Units) async throws -> LoadedClassifier {
        try await queue.run {
            try self.breadcrumb.during(.init(model.facts, units: units)) { () -> LoadedClassifier in
                let classifier = try self.opened(model, units: units)
                let side = model.facts.preprocess.inputSize
                let gray = try RGBImage(
                    width: side, height: side, bytes: [UInt8](repeating: 128, count: side * side * 3))
                _ = try classifier.predictions(for: gray)
                return classifier
            }
        }
    }

    /// What runs a model of its format. Blocks.
    private func opened(_ model: InstalledModel, units: Units) throws -> LoadedClassifier {
        let facts = model.facts
        switch facts.format {
        case .coreml:
            return try CoreMLClassifier(
                compiled: cache.compiled(model), name: facts.path, units: units, preprocess: facts.preprocess)
        case .coreai:
            // The simulator has no such module, and a Mac with an Intel processor cannot link it.
            #if canImport(CoreAI) && !(canImport(AppKit) && arch(x86_64))
            if #available(iOS 27.0, macOS 27.0, *) {
                try model.verifyChecksums()
                return try CoreAIClassifier(
                    contentsOf: model.package, name: facts.path, units: units, preprocess: facts.preprocess,
                    labels: facts.labels ?? [])
            }
            #endif
            throw AppleError.needsCoreAI(name: facts.path)
        case .onnx: throw CatalogError.foreignFormat(name: facts.path, format: "ONNX")
        }
    }

    /// Replays the golden image directly and through Vision.
    ///
    /// - Returns: the findings; none for a model that came without a golden image.
    public func selfTest(of model: InstalledModel, units: Units) async throws -> [SelfTest.Finding] {
        guard let golden = model.golden, let url = model.goldenImage else { return [] }
        let classifier = try await load(model, units: units)
        return try await queue.run {
            try self.breadcrumb.during(.init(model.facts, units: units)) {
                let image = try ImageFileReader.read(url).image
                let test = SelfTest(golden: golden)
                guard model.facts.format == .coreml else { return try test.run(image: image, classifier: classifier) }
                let vision = try VisionClassifier(compiled: self.cache.compiled(model), units: units)
                let throughVision = try test.run(image: image, classifier: vision)
                return try test.run(image: image, classifier: classifier)
                    + throughVision.prefix(1).map { $0.renamed("golden image through Vision") }
            }
        }
    }

    /// The compute plan; nil where the system is too old to tell or the model is no ML Program.
    public func computePlan(of model: InstalledModel, units: Units) async throws -> ComputePlanSummary? {
        guard #available(iOS 17.4, macOS 14.4, *), model.facts.format == .coreml else { return nil }
        return try await queue.run {
            try self.breadcrumb.during(.init(model.facts, units: units)) {
                let compiled = try self.cache.compiled(model)
                return try Blocking.value { try await ComputePlanReader.plan(compiled: compiled, units: units) }
            }
        }
    }

    public var library: ModelLibrary { ModelImporter.library }

    public func bundled() throws -> ModelCatalog? { try AppFolders.bundled.map(ModelCatalog.init) }

    public func bringIn(_ file: URL) async throws -> InstalledModel {
        try await queue.run { try ModelImporter.importModel(from: file) }
    }

    public func fetch(_ address: String) async throws -> InstalledModel {
        try await ModelImporter.importModel(fromAddress: address)
    }

    /// Removes what was compiled of a model; it is compiled again should it come back.
    public func forget(_ model: InstalledModel) throws { try cache.remove(model) }

    /// Removes what was compiled of models that are gone, once nothing is being loaded.
    public func keepCompiled(only models: [InstalledModel]) {
        Task { try await queue.run { self.cache.keep(only: models) } }
    }
}
#endif
