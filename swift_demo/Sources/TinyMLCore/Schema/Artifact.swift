/// One input or output of an artifact; a nil dimension is flexible.
public struct Tensor: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Sendable { case image, tensor, dictionary, label }

    public let name: String
    public let kind: Kind
    public let shape: [Int?]
    public let dtype: String

    enum CodingKeys: String, FieldKey {
        case name, kind, shape, dtype
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        name = try fields(.name)
        kind = try fields(.kind)
        shape = try fields.list(.shape, each: Rule(requirement: "dimensions must be at least 1") { ($0 ?? 1) >= 1 })
        dtype = try fields(.dtype)
    }
}

/// `manifest.json`: what stands beside an exported model.
public struct Artifact: RecordFile {
    public static let kind = "artifact"

    /// The file or folder name, in the manifest's own folder.
    public let path: String
    /// Of a file, or of a folder's sorted (relative path, content sha256) pairs.
    public let sha256: String
    public let bytes: Int
    public let variant: Variant
    public let inputs: [Tensor]
    public let outputs: [Tensor]
    public let spec: ModelSpec
    public let checkpointSHA256: String
    public let checkpointPath: String
    public let data: String
    /// Which images those were; nil where the checkpoint does not say.
    public let dataset: DatasetIdentity?
    public let verification: Verification?
    public let provenance: Provenance

    enum CodingKeys: String, FieldKey {
        case schemaVersion = "schema_version"
        case kind, path, sha256, bytes, variant, inputs, outputs, spec
        case checkpointSHA256 = "checkpoint_sha256"
        case checkpointPath = "checkpoint_path"
        case data, dataset, verification, provenance
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        path = try fields(.path)
        sha256 = try fields(.sha256, .sha256)
        bytes = try fields(.bytes, .positive)
        variant = try fields(.variant)
        inputs = try fields(.inputs)
        outputs = try fields(.outputs)
        spec = try fields(.spec)
        checkpointSHA256 = try fields(.checkpointSHA256, .sha256)
        checkpointPath = try fields(.checkpointPath)
        data = try fields(.data)
        dataset = try fields.optional(.dataset)
        verification = try fields.nullable(.verification)
        provenance = try fields(.provenance)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(SchemaVersion.current.description, forKey: .schemaVersion)
        try container.encode(Self.kind, forKey: .kind)
        try container.encode(path, forKey: .path)
        try container.encode(sha256, forKey: .sha256)
        try container.encode(bytes, forKey: .bytes)
        try container.encode(variant, forKey: .variant)
        try container.encode(inputs, forKey: .inputs)
        try container.encode(outputs, forKey: .outputs)
        try container.encode(spec, forKey: .spec)
        try container.encode(checkpointSHA256, forKey: .checkpointSHA256)
        try container.encode(checkpointPath, forKey: .checkpointPath)
        try container.encode(data, forKey: .data)
        try container.encode(dataset, forKey: .dataset)
        try container.encode(verification, forKey: .verification)
        try container.encode(provenance, forKey: .provenance)
    }
}
