/// What makes a split that split.
public struct SplitIdentity: Codable, Hashable, Sendable {
    public let images: Int
    public let contentSHA256: String

    enum CodingKeys: String, FieldKey {
        case images
        case contentSHA256 = "content_sha256"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        images = try fields(.images, .count)
        contentSHA256 = try fields(.contentSHA256, .sha256)
    }
}

/// Which images a network was trained and tested on, kept with it, so that others are never taken for them.
public struct DatasetIdentity: Codable, Hashable, Sendable {
    /// The words that open it from anywhere: a name, or an absolute path.
    public let data: String
    public let splits: Splits

    public struct Splits: Codable, Hashable, Sendable {
        public let train: SplitIdentity
        public let val: SplitIdentity
        public let test: SplitIdentity

        enum CodingKeys: String, FieldKey { case train, val, test }

        public init(from decoder: any Decoder) throws {
            let fields = try Fields(decoder, CodingKeys.self)
            train = try fields(.train)
            val = try fields(.val)
            test = try fields(.test)
        }
    }

    enum CodingKeys: String, FieldKey { case data, splits }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        data = try fields(.data)
        splits = try fields(.splits)
    }
}
