import Foundation

/// What is known of a model: from its manifest, or, where it came without one, from its own file.
public struct ModelFacts: Hashable, Sendable {
    /// The package's file or folder name.
    public let path: String
    public let sha256: String
    public let bytes: Int
    public let architecture: String
    public let variant: String
    public let format: Variant.Format
    public let preprocess: Preprocess
    /// The data set that it was trained on; nil where nothing says so.
    public let data: String?
    /// The classes, in the model's own order; nil where nothing says so.
    public let labels: [String]?
    /// How it did against its checkpoint; nil where nobody looked, or nothing says so.
    public let verification: Verification?
    /// Whether the preprocessing is known rather than assumed.
    public let isPreprocessKnown: Bool

    init(_ artifact: Artifact) {
        path = artifact.path
        sha256 = artifact.sha256
        bytes = artifact.bytes
        architecture = artifact.spec.architecture
        variant = artifact.variant.name
        format = artifact.variant.format
        preprocess = artifact.spec.preprocess
        data = artifact.data
        labels = artifact.spec.labels
        verification = artifact.verification
        isPreprocessKnown = true
    }

    /// The facts of a package that came alone, which `record` names.
    ///
    /// Packages of the exporter say in their metadata how images are prepared. Of any other, a centered square of the
    /// input's size is assumed.
    ///
    /// - Throws: `ModelImportError` where it is no classifier of square color images.
    init(_ record: BareModelRecord, of package: URL) throws {
        let file = try ModelFile(package: package)
        let name = package.lastPathComponent
        guard let input = file.input, file.isClassifier, !file.isGray else {
            throw ModelImportError.notAClassifier(name: name)
        }
        guard input.width == input.height else {
            throw ModelImportError.notSquare(name: name, width: input.width, height: input.height)
        }
        let spec = file.metadata["tinyml.spec"].flatMap {
            try? JSONDecoder().decode(ModelSpec.self, from: Data($0.utf8))
        }
        if let spec, spec.preprocess.inputSize != input.width {
            throw ModelImportError.contradiction(name: name, said: spec.preprocess.inputSize, taken: input.width)
        }
        path = record.path
        sha256 = record.sha256
        bytes = record.bytes
        architecture = spec?.architecture ?? package.deletingPathExtension().lastPathComponent
        variant = file.metadata["tinyml.variant"] ?? "unknown"
        format = .coreml
        preprocess = spec?.preprocess ?? Preprocess(inputSize: input.width, resize: input.width)
        data = file.metadata["tinyml.data"]
        labels = spec?.labels
        verification = nil
        isPreprocessKnown = spec != nil
    }
}

/// `imported.json`: stands beside a package that came without a manifest, so that a changed copy is noticed.
struct BareModelRecord: Codable, Hashable, Sendable {
    static let fileName = "imported.json"

    let path: String
    let sha256: String
    let bytes: Int

    /// Hashes and counts a package.
    init(package: URL) throws {
        path = package.lastPathComponent
        sha256 = try ContentHash.sha256(of: package)
        bytes = try FileSize.bytes(of: package)
    }

    /// Reads the record in a folder; nil where there is none.
    ///
    /// - Throws: `SchemaError` where it cannot be read.
    init?(folder: URL) throws {
        let file = folder.appendingPathComponent(Self.fileName)
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        guard let record = try? JSONDecoder().decode(Self.self, from: Data(contentsOf: file)) else {
            throw SchemaError.notJSON(file: Self.fileName)
        }
        self = record
    }
}
