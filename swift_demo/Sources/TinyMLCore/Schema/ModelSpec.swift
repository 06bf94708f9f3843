/// From an image to a model's input. From `mean` on it is baked into every exported model.
///
/// The shorter side is resized to `resize` (antialiased bilinear, as Pillow's BILINEAR), then the central square of
/// `inputSize` pixels is cropped.
public struct Preprocess: Codable, Hashable, Sendable {
    /// The side of the model's square input, in pixels.
    public let inputSize: Int
    /// The length of the shorter side before the crop, in pixels.
    public let resize: Int
    public let crop: Crop
    public let interpolation: Interpolation
    public let channelOrder: ChannelOrder
    public let mean: [Double]
    public let std: [Double]

    public enum Crop: String, Codable, Sendable { case center }
    public enum Interpolation: String, Codable, Sendable { case bilinear }
    public enum ChannelOrder: String, Codable, Sendable { case rgb }

    enum CodingKeys: String, FieldKey {
        case inputSize = "input_size"
        case resize, crop, interpolation
        case channelOrder = "channel_order"
        case mean, std
    }

    /// The preprocessing of every model here unless its manifest says otherwise; `mean` and `std` are ImageNet's.
    public init(inputSize: Int = 64, resize: Int = 64) {
        self.inputSize = inputSize
        self.resize = resize
        crop = .center
        interpolation = .bilinear
        channelOrder = .rgb
        mean = [0.485, 0.456, 0.406]
        std = [0.229, 0.224, 0.225]
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        let usual = Preprocess()
        inputSize = try fields(.inputSize, or: usual.inputSize, .positive)
        resize = try fields(.resize, or: usual.resize, .positive)
        crop = try fields(.crop, or: usual.crop)
        interpolation = try fields(.interpolation, or: usual.interpolation)
        channelOrder = try fields(.channelOrder, or: usual.channelOrder)
        mean = try fields(.mean, or: usual.mean, .triple)
        std = try fields(.std, or: usual.std, .triple)
    }
}

extension Rule where Value == [Double] {
    static var triple: Rule { Rule(requirement: "must be three numbers") { $0.count == 3 } }
}

/// What a network is, apart from its weights.
public struct ModelSpec: Codable, Hashable, Sendable {
    public let architecture: String
    public let parameters: Int
    /// Readable and unique, in the order of the model's classes.
    public let labels: [String]
    public let preprocess: Preprocess

    enum CodingKeys: String, FieldKey {
        case architecture, parameters, labels, preprocess
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        architecture = try fields(.architecture)
        parameters = try fields(.parameters, .positive)
        labels = try fields(.labels)
        preprocess = try fields(.preprocess)
        if Set(labels).count != labels.count { throw fields.failure("labels must be unique") }
    }
}
