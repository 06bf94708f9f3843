import Foundation

/// `catalog.json`: the models that lie in the app's model folder, as `tinyml app sync` wrote it.
public struct CatalogFile: RecordFile {
    public static let kind = "app_catalog"

    public struct Entry: Codable, Hashable, Sendable {
        /// The folder's name, beside the catalog.
        public let folder: String
        public let artifactSHA256: String

        enum CodingKeys: String, FieldKey {
            case folder
            case artifactSHA256 = "artifact_sha256"
        }

        public init(from decoder: any Decoder) throws {
            let fields = try Fields(decoder, CodingKeys.self)
            folder = try fields(.folder, .identifier)
            artifactSHA256 = try fields(.artifactSHA256, .sha256)
        }
    }

    public let models: [Entry]
    public let provenance: Provenance

    enum CodingKeys: String, FieldKey {
        case schemaVersion = "schema_version"
        case kind, models, provenance
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        models = try fields(.models)
        provenance = try fields(.provenance)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(SchemaVersion.current.description, forKey: .schemaVersion)
        try container.encode(Self.kind, forKey: .kind)
        try container.encode(models, forKey: .models)
        try container.encode(provenance, forKey: .provenance)
    }
}

/// Why a model cannot be used; `phrase` is one sentence for the user.
public enum CatalogError: Error, Equatable, Sendable, ExplainedError {
    /// The model folder has no catalog.
    case noCatalog(folder: String)
    /// The file or folder that a manifest names is not there.
    case missing(name: String)
    /// The content differs from the manifest's checksum: a copy was cut short or changed.
    case changed(name: String)
    /// A preprocessing that would need pixels beyond the image's edge.
    case cropTooLarge(inputSize: Int, resize: Int)
    /// A format that nothing on Apple's systems runs.
    case foreignFormat(name: String, format: String)
    /// A path that leaves its folder.
    case outside(name: String)

    public var phrase: Phrase {
        switch self {
        case .noCatalog(let folder):
            Phrase("there is no catalog in %@: copy models there with “tinyml app sync”", folder)
        case .missing(let name):
            Phrase("%@ is missing: copy the model again with “tinyml app sync”", name)
        case .changed(let name):
            Phrase("%@ differs from its manifest’s checksum: copy the model again with “tinyml app sync”", name)
        case .cropTooLarge(let inputSize, let resize):
            Phrase(
                "the model wants %@ pixels of an image that is resized to %@: no image is that large", "\(inputSize)",
                "\(resize)")
        case .foreignFormat(let name, let format):
            Phrase("%@ is a model for %@: this app runs models for Core ML and Core AI", name, format)
        case .outside(let name): Phrase("the manifest names a file outside its folder: %@", name)
        }
    }
}

/// One model with everything that was copied beside it.
public struct InstalledModel: Hashable, Sendable, Identifiable {
    public let facts: ModelFacts
    /// Nil where the model came without a golden image.
    public let golden: Golden?
    public let folder: URL

    public var id: String { facts.sha256 }
    public var package: URL { folder.appendingPathComponent(facts.path) }
    /// "densenet coreml-w8".
    public var title: String { "\(facts.architecture) \(facts.variant)" }
    public var goldenImage: URL? { golden.map { folder.appendingPathComponent($0.image) } }

    /// Reads the manifests in a folder; the content is not hashed yet.
    ///
    /// - Throws: `SchemaError`, `CatalogError`, or `ModelImportError` for a package that came without a manifest.
    public init(folder: URL) throws {
        self.folder = folder
        if let record = try BareModelRecord(folder: folder) {
            facts = try ModelFacts(record, of: InstalledModel.member(record.path, of: folder))
        } else {
            facts = ModelFacts(try Artifact(contentsOf: InstalledModel.member("manifest.json", of: folder)))
        }
        guard facts.format != .onnx else {
            throw CatalogError.foreignFormat(name: facts.path, format: facts.format.rawValue.uppercased())
        }
        let preprocess = facts.preprocess
        guard preprocess.inputSize <= preprocess.resize else {
            throw CatalogError.cropTooLarge(inputSize: preprocess.inputSize, resize: preprocess.resize)
        }
        _ = try InstalledModel.member(facts.path, of: folder)
        let goldenFile = folder.appendingPathComponent("golden.json")
        guard FileManager.default.fileExists(atPath: goldenFile.path) else {
            golden = nil
            return
        }
        let golden = try Golden(contentsOf: goldenFile)
        _ = try InstalledModel.member(golden.image, of: folder)
        self.golden = golden
    }

    /// Compares the content of package and golden image with their checksums.
    ///
    /// - Throws: `CatalogError.changed`, or Foundation's error where a file cannot be read.
    public func verifyChecksums() throws {
        guard try ContentHash.sha256(of: package) == facts.sha256 else {
            throw CatalogError.changed(name: facts.path)
        }
        if let golden, let goldenImage {
            guard golden.artifactSHA256 == facts.sha256 else { throw CatalogError.changed(name: "golden.json") }
            guard try ContentHash.sha256(of: goldenImage) == golden.imageSHA256 else {
                throw CatalogError.changed(name: golden.image)
            }
        }
    }

    private static func member(_ name: String, of folder: URL) throws -> URL {
        guard !name.isEmpty, name != "..", name != ".", !name.contains("/") else {
            throw CatalogError.outside(name: name)
        }
        let url = folder.appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: url.path) else { throw CatalogError.missing(name: name) }
        return url
    }
}

/// The models of one folder. A model that cannot be read is listed with its reason rather than left out.
public struct ModelCatalog: Sendable {
    public struct Refusal: Hashable, Sendable, Identifiable {
        public let folder: String
        public let reason: Phrase

        public var id: String { folder }

        public init(folder: String, reason: Phrase) {
            self.folder = folder
            self.reason = reason
        }
    }

    public let models: [InstalledModel]
    public let refused: [Refusal]

    /// Reads `catalog.json` and the manifests that it names.
    ///
    /// - Throws: `CatalogError` or `SchemaError` where the catalog itself cannot be read.
    public init(folder: URL) throws {
        let file = folder.appendingPathComponent("catalog.json")
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw CatalogError.noCatalog(folder: folder.lastPathComponent)
        }
        var models: [InstalledModel] = []
        var refused: [Refusal] = []
        for entry in try CatalogFile(contentsOf: file).models {
            do {
                let model = try InstalledModel(folder: folder.appendingPathComponent(entry.folder))
                guard model.facts.sha256 == entry.artifactSHA256 else {
                    throw CatalogError.changed(name: "manifest.json")
                }
                models.append(model)
            } catch {
                refused.append(Refusal(folder: entry.folder, reason: Phrase(of: error)))
            }
        }
        self.models = models
        self.refused = refused
    }
}
