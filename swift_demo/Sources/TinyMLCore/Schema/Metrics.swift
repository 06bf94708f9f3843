/// A part of a data set.
public enum SplitName: String, Codable, Sendable {
    case train, val, test
}

/// Accuracy on one split; `images` says how many were looked at, `total` how many the split has.
public struct Metrics: Codable, Hashable, Sendable {
    public let split: SplitName
    public let top1: Double
    /// nil: of five classes or fewer it is 1 and says nothing.
    public let top5: Double?
    public let images: Int
    public let total: Int
    public let loss: Double?

    enum CodingKeys: String, FieldKey {
        case split, top1, top5, images, total, loss
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        split = try fields(.split)
        top1 = try fields(.top1, .fraction)
        top5 = try fields.nullable(.top5, .fraction)
        images = try fields(.images, .positive)
        total = try fields(.total, .positive)
        loss = try fields.optional(.loss)
        if images > total { throw fields.failure("more images were looked at than the split has") }
        if let top5, top1 > top5 { throw fields.failure("top-1 accuracy is above top-5 accuracy") }
        for share in [top1, top5 ?? 0] where !Self.isWholeCount(share, of: images) {
            throw fields.failure(
                Phrase("an accuracy of %@ is no whole number of %@ images", "\(share)", "\(images)"))
        }
    }

    /// Whether `share` is a number of `images` by all of them, as far as four digits tell.
    private static func isWholeCount(_ share: Double, of images: Int) -> Bool {
        let count = share * Double(images)
        return abs(count - count.rounded(.toNearestOrEven)) <= 0.5e-4 * Double(images)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(split, forKey: .split)
        try container.encode(top1, forKey: .top1)
        try container.encode(top5, forKey: .top5)
        try container.encode(images, forKey: .images)
        try container.encode(total, forKey: .total)
        try container.encode(loss, forKey: .loss)
    }
}
