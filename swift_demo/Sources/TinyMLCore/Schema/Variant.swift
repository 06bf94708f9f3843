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
    /// In the order in which they are applied; several on the same weights are joint compression.
    public let compression: [Compression]
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
        compression = try fields(.compression, or: [])
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
