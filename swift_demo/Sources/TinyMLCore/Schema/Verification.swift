/// An artifact, reloaded and executed, against its checkpoint on real images.
public struct Verification: Codable, Hashable, Sendable {
    public let runtime: String
    public let split: SplitName
    public let images: Int
    /// Of the probabilities.
    public let maxDifference: Double
    public let meanDifference: Double
    /// Of the logits; nil: no difference at all.
    public let psnrDecibels: Double?
    public let top1Agreement: Double
    /// nil: with five classes or fewer it is 1 and says nothing.
    public let top5Agreement: Double?
    public let reference: Metrics
    public let artifact: Metrics
    public let floor: Floor
    /// The figures that missed the floor, as sentences; empty: passed.
    public let failures: [String]

    enum CodingKeys: String, FieldKey {
        case runtime, split, images
        case maxDifference = "max_difference"
        case meanDifference = "mean_difference"
        case psnrDecibels = "psnr_db"
        case top1Agreement = "top1_agreement"
        case top5Agreement = "top5_agreement"
        case reference, artifact, floor, failures
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        runtime = try fields(.runtime)
        split = try fields(.split)
        images = try fields(.images, .positive)
        maxDifference = try fields(.maxDifference, .notNegative)
        meanDifference = try fields(.meanDifference, .notNegative)
        psnrDecibels = try fields.nullable(.psnrDecibels)
        top1Agreement = try fields(.top1Agreement, .fraction)
        top5Agreement = try fields.nullable(.top5Agreement, .fraction)
        reference = try fields(.reference)
        artifact = try fields(.artifact)
        floor = try fields(.floor)
        failures = try fields(.failures)
        let sides = [reference, artifact]
        guard sides.allSatisfy({ $0.split == split && $0.images == images }), reference.total == artifact.total else {
            throw fields.failure("the checkpoint and the artifact were not measured on the images that were compared")
        }
        if meanDifference > maxDifference * (1 + 1e-9) {
            throw fields.failure("the mean difference is above the largest")
        }
        if let top5Agreement, top1Agreement > top5Agreement {
            throw fields.failure("agreement on the first class is above agreement among the five first")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(runtime, forKey: .runtime)
        try container.encode(split, forKey: .split)
        try container.encode(images, forKey: .images)
        try container.encode(maxDifference, forKey: .maxDifference)
        try container.encode(meanDifference, forKey: .meanDifference)
        try container.encode(psnrDecibels, forKey: .psnrDecibels)
        try container.encode(top1Agreement, forKey: .top1Agreement)
        try container.encode(top5Agreement, forKey: .top5Agreement)
        try container.encode(reference, forKey: .reference)
        try container.encode(artifact, forKey: .artifact)
        try container.encode(floor, forKey: .floor)
        try container.encode(failures, forKey: .failures)
    }
}
