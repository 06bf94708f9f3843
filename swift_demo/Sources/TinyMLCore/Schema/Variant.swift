/// How weights (and, for `w8a8` and `qdq`, activations) are made smaller.
public struct Compression: Codable, Hashable, Sendable {
    public enum Method: String, Codable, Sendable {
        case none, linear, palette, prune, w8a8, qdq
    }

    public enum Granularity: String, Codable, Sendable {
        case perTensor = "per_tensor"
        case perChannel = "per_channel"
        case perBlock = "per_block"
        case perGroupedChannel = "per_grouped_channel"
    }

    public let method: Method
    public let bits: Int?
    public let granularity: Granularity?
    public let groupSize: Int?
    public let sparsity: Double?

    static let none = Compression()

    private init() {
        method = .none
        bits = nil
        granularity = nil
        groupSize = nil
        sparsity = nil
    }

    enum CodingKeys: String, FieldKey {
        case method, bits, granularity
        case groupSize = "group_size"
        case sparsity
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        method = try fields(.method, or: .none)
        bits = try fields.optional(.bits, .bits)
        granularity = try fields.optional(.granularity)
        groupSize = try fields.optional(.groupSize, .positive)
        sparsity = try fields.optional(.sparsity, .openFraction)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(method, forKey: .method)
        try container.encode(bits, forKey: .bits)
        try container.encode(granularity, forKey: .granularity)
        try container.encode(groupSize, forKey: .groupSize)
        try container.encode(sparsity, forKey: .sparsity)
    }
}

/// What an artifact must reach against its checkpoint to be exported at all.
public struct Floor: Codable, Hashable, Sendable {
    public let top1Agreement: Double
    public let psnrDecibels: Double
    public let maxAccuracyDrop: Double

    enum CodingKeys: String, FieldKey {
        case top1Agreement = "top1_agreement"
        case psnrDecibels = "psnr_db"
        case maxAccuracyDrop = "max_accuracy_drop"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        top1Agreement = try fields(.top1Agreement, .fraction)
        psnrDecibels = try fields(.psnrDecibels)
        maxAccuracyDrop = try fields(.maxAccuracyDrop, .fraction)
    }
}

/// One row of the export menu.
public struct Variant: Codable, Hashable, Sendable {
    public enum Format: String, Codable, Sendable { case coreml, onnx, coreai }
    public enum Precision: String, Codable, Sendable { case fp32, fp16 }

    public let name: String
    public let format: Format
    public let precision: Precision
    public let compression: Compression
    /// The deployment target as coremltools names it ("iOS16"); nil where the format has none.
    public let minimumTarget: String?
    public let summary: String
    public let floor: Floor

    enum CodingKeys: String, FieldKey {
        case name, format, precision, compression
        case minimumTarget = "minimum_target"
        case summary, floor
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        name = try fields(.name)
        format = try fields(.format)
        precision = try fields(.precision)
        compression = try fields(.compression, or: .none)
        minimumTarget = try fields.optional(.minimumTarget)
        summary = try fields(.summary)
        floor = try fields(.floor)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(format, forKey: .format)
        try container.encode(precision, forKey: .precision)
        try container.encode(compression, forKey: .compression)
        try container.encode(minimumTarget, forKey: .minimumTarget)
        try container.encode(summary, forKey: .summary)
        try container.encode(floor, forKey: .floor)
    }
}
