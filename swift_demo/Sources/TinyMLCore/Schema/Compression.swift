/// One kind of compression with all of its settings; its overrides say by layer what holds there instead.
public enum Compression: Codable, Hashable, Sendable {
    case linear(Overridable<LinearSettings>)
    case palette(Overridable<PaletteSettings>)
    case prune(Overridable<PruneSettings>)
    case activations(Overridable<ActivationSettings>)

    public enum Method: String, Codable, Sendable { case linear, palette, prune, activations }

    public var method: Method {
        switch self {
        case .linear: .linear
        case .palette: .palette
        case .prune: .prune
        case .activations: .activations
        }
    }

    private enum MethodKey: String, CodingKey { case method }

    public init(from decoder: any Decoder) throws {
        switch try decoder.container(keyedBy: MethodKey.self).decode(Method.self, forKey: .method) {
        case .linear: self = .linear(try Overridable(from: decoder))
        case .palette: self = .palette(try Overridable(from: decoder))
        case .prune: self = .prune(try Overridable(from: decoder))
        case .activations: self = .activations(try Overridable(from: decoder))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: MethodKey.self)
        try container.encode(method, forKey: .method)
        switch self {
        case .linear(let kind): try kind.encode(to: encoder)
        case .palette(let kind): try kind.encode(to: encoder)
        case .prune(let kind): try kind.encode(to: encoder)
        case .activations(let kind): try kind.encode(to: encoder)
        }
    }
}

/// What a layer's settings must be able to do.
public protocol LayerSettings: Codable, Hashable, Sendable {
    /// Whether the whole model's can say that the first and the last layer have other bits.
    static var haveEnds: Bool { get }

    /// Reads the settings of the whole model, beside which stand `method` and `overrides`.
    init(besideOverrides decoder: any Decoder) throws
}

extension LayerSettings {
    public static var haveEnds: Bool { false }
}

/// A kind's settings, and by layer what holds there instead; nil: the layer is left as it is.
public struct Overridable<Settings: LayerSettings>: Codable, Hashable, Sendable {
    public let settings: Settings
    public let overrides: [String: Settings?]
    /// Of weights; activations have none.
    public let rounding: Rounding?
    /// What the first and the last layer have instead; nil: they are as the others.
    public let endsBits: Int?

    private enum CodingKeys: String, CodingKey {
        case overrides, rounding
        case endsBits = "ends_bits"
    }

    public init(from decoder: any Decoder) throws {
        settings = try Settings(besideOverrides: decoder)
        overrides =
            try decoder.container(keyedBy: CodingKeys.self)
            .decodeIfPresent([String: Settings?].self, forKey: .overrides) ?? [:]
        rounding = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(Rounding.self, forKey: .rounding)
        endsBits = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(Int.self, forKey: .endsBits)
        if let endsBits, endsBits != 8 {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "ends_bits is \(endsBits), not 8"))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        try settings.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(overrides, forKey: .overrides)
        try container.encodeIfPresent(rounding, forKey: .rounding)
        if Settings.haveEnds { try container.encode(endsBits, forKey: .endsBits) }
    }
}

/// How weights are rounded: each to the nearest value that it can have, or so that they make up for each other's errors.
public enum Rounding: String, Codable, Sendable { case nearest, compensated }

/// How one layer's weights are quantized linearly: `weight = scale * (integer - offset)`.
public struct LinearSettings: LayerSettings {
    public enum Granularity: String, Codable, Sendable {
        case perTensor = "per_tensor"
        case perChannel = "per_channel"
        case perBlock = "per_block"
    }

    public static let haveEnds = true

    public let bits: Int
    /// Whether the offset is 0 and the integers are signed.
    public let symmetric: Bool
    public let granularity: Granularity
    /// Input channels a block, exactly for `perBlock`.
    public let blockSize: Int?

    enum CodingKeys: String, FieldKey {
        case bits, symmetric, granularity
        case blockSize = "block_size"
    }

    public init(from decoder: any Decoder) throws {
        try self.init(Fields(decoder, CodingKeys.self))
    }

    public init(besideOverrides decoder: any Decoder) throws {
        try self.init(Fields(decoder, CodingKeys.self, beside: ["method", "overrides", "rounding", "ends_bits"]))
    }

    private init(_ fields: Fields<CodingKeys>) throws {
        bits = try fields(.bits, .among(2, 4, 8))
        symmetric = try fields(.symmetric, or: true)
        granularity = try fields(.granularity, or: .perChannel)
        blockSize = try fields.optional(.blockSize, .positive)
        if (blockSize != nil) != (granularity == .perBlock) {
            throw fields.failure("block_size belongs to the granularity 'per_block', and that needs one")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(bits, forKey: .bits)
        try container.encode(symmetric, forKey: .symmetric)
        try container.encode(granularity, forKey: .granularity)
        try container.encode(blockSize, forKey: .blockSize)
    }
}

/// How one layer's weights are palettized: each is an index into a table of 2^bits values.
public struct PaletteSettings: LayerSettings {
    public enum Granularity: String, Codable, Sendable {
        case perTensor = "per_tensor"
        case perGroupedChannel = "per_grouped_channel"
    }

    public static let haveEnds = true

    public let bits: Int
    public let granularity: Granularity
    /// Output channels a group, exactly for `perGroupedChannel`.
    public let groupSize: Int?
    public let perChannelScale: Bool

    enum CodingKeys: String, FieldKey {
        case bits, granularity
        case groupSize = "group_size"
        case perChannelScale = "per_channel_scale"
    }

    public init(from decoder: any Decoder) throws {
        try self.init(Fields(decoder, CodingKeys.self))
    }

    public init(besideOverrides decoder: any Decoder) throws {
        try self.init(Fields(decoder, CodingKeys.self, beside: ["method", "overrides", "rounding", "ends_bits"]))
    }

    private init(_ fields: Fields<CodingKeys>) throws {
        bits = try fields(.bits, .among(1, 2, 3, 4, 6, 8))
        granularity = try fields(.granularity, or: .perTensor)
        groupSize = try fields.optional(.groupSize, .positive)
        perChannelScale = try fields(.perChannelScale, or: false)
        if (groupSize != nil) != (granularity == .perGroupedChannel) {
            throw fields.failure("group_size belongs to the granularity 'per_grouped_channel', and that needs one")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(bits, forKey: .bits)
        try container.encode(granularity, forKey: .granularity)
        try container.encode(groupSize, forKey: .groupSize)
        try container.encode(perChannelScale, forKey: .perChannelScale)
    }
}

/// N:M sparsity: of every `of` neighboring input channels the `zeros` smallest weights are zero.
public struct SparsityPattern: Codable, Hashable, Sendable {
    public let zeros: Int
    public let of: Int

    enum CodingKeys: String, FieldKey {
        case zeros, of
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        zeros = try fields(.zeros, .positive)
        of = try fields(.of, .positive)
        if zeros >= of { throw fields.failure("zeros must be fewer than 'of'") }
    }
}

/// How one layer's smallest weights are set to zero: a share of all, or a pattern; exactly one of the two.
public struct PruneSettings: LayerSettings {
    public let sparsity: Double?
    public let pattern: SparsityPattern?

    enum CodingKeys: String, FieldKey {
        case sparsity, pattern
    }

    public init(from decoder: any Decoder) throws {
        try self.init(Fields(decoder, CodingKeys.self))
    }

    public init(besideOverrides decoder: any Decoder) throws {
        try self.init(Fields(decoder, CodingKeys.self, beside: ["method", "overrides", "rounding"]))
    }

    private init(_ fields: Fields<CodingKeys>) throws {
        sparsity = try fields.optional(.sparsity, .openFraction)
        pattern = try fields.optional(.pattern)
        if (sparsity == nil) == (pattern == nil) { throw fields.failure("pruning has either a sparsity or a pattern") }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(sparsity, forKey: .sparsity)
        try container.encode(pattern, forKey: .pattern)
    }
}

/// How activations are quantized: one scale a tensor, its range observed on images of the training split.
///
/// A layer's override can only be nil: it stays in float.
public struct ActivationSettings: LayerSettings {
    public let bits: Int
    /// Whether the range is that of each input when it is there.
    public let dynamic: Bool
    public let symmetric: Bool
    /// Of the absolute values seen; below 100 it cuts rare outliers.
    public let percentile: Double
    public let images: Int

    enum CodingKeys: String, FieldKey {
        case bits, dynamic, symmetric, percentile, images
    }

    public init(from decoder: any Decoder) throws {
        let problem = "activations of a layer are quantized like all or, with null, not at all"
        throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: problem))
    }

    public init(besideOverrides decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self, beside: ["method", "overrides"])
        bits = try fields(.bits, or: 8, .among(8))
        dynamic = try fields(.dynamic, or: false)
        symmetric = try fields(.symmetric, or: false)
        percentile = try fields(.percentile, or: 100, .percentile)
        images = try fields(.images, or: 256, .positive)
    }
}
