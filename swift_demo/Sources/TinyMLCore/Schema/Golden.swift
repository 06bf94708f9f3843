/// `golden.json`: an image, and what the artifact says of it, for whoever runs the package elsewhere.
public struct Golden: RecordFile {
    public static let kind = "golden"

    public let artifactSHA256: String
    /// The image's file name, in the same folder.
    public let image: String
    public let imageSHA256: String
    public let width: Int
    public let height: Int
    /// The expected five first labels, best first (fewer where the model has fewer).
    public let labels: [String]
    public let probabilities: [Double]
    /// The largest absolute difference of a probability that a right implementation shows.
    public let tolerance: Double
    public let runtime: String
    public let provenance: Provenance

    enum CodingKeys: String, FieldKey {
        case schemaVersion = "schema_version"
        case kind
        case artifactSHA256 = "artifact_sha256"
        case image
        case imageSHA256 = "image_sha256"
        case width, height, labels, probabilities, tolerance, runtime, provenance
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        artifactSHA256 = try fields(.artifactSHA256, .sha256)
        image = try fields(.image)
        imageSHA256 = try fields(.imageSHA256, .sha256)
        width = try fields(.width, .positive)
        height = try fields(.height, .positive)
        labels = try fields(.labels)
        probabilities = try fields.list(.probabilities, each: .fraction)
        tolerance = try fields(.tolerance, .notNegative)
        runtime = try fields(.runtime)
        provenance = try fields(.provenance)
        guard !labels.isEmpty, labels.count == probabilities.count, Set(labels).count == labels.count else {
            throw fields.failure("there is one probability for each of one or more different labels")
        }
        if probabilities != probabilities.sorted(by: >) {
            throw fields.failure("the labels are not ranked: a probability is above the one before it")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(SchemaVersion.current.description, forKey: .schemaVersion)
        try container.encode(Self.kind, forKey: .kind)
        try container.encode(artifactSHA256, forKey: .artifactSHA256)
        try container.encode(image, forKey: .image)
        try container.encode(imageSHA256, forKey: .imageSHA256)
        try container.encode(width, forKey: .width)
        try container.encode(height, forKey: .height)
        try container.encode(labels, forKey: .labels)
        try container.encode(probabilities, forKey: .probabilities)
        try container.encode(tolerance, forKey: .tolerance)
        try container.encode(runtime, forKey: .runtime)
        try container.encode(provenance, forKey: .provenance)
    }
}
