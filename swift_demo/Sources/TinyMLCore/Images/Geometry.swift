/// A width and a height in pixels, both at least 1.
public struct PixelSize: Hashable, Sendable {
    public let width: Int
    public let height: Int

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }
}

/// A rectangle of whole pixels; the origin is the upper left corner.
public struct PixelRect: Hashable, Sendable {
    public let x: Int
    public let y: Int
    public let width: Int
    public let height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}

extension Preprocess {
    /// The size to which an image of the size `input` is resized before the crop.
    func resizedSize(of input: PixelSize) -> PixelSize {
        let shorter = min(input.width, input.height)
        return PixelSize(
            width: max(resize, input.width * resize / shorter), height: max(resize, input.height * resize / shorter))
    }

    /// The central square, in the resized image; half pixels go to the even neighbor, as in training.
    func cropWindow(in resized: PixelSize) -> PixelRect {
        let margin = { (length: Int) in Int((Double(length - inputSize) / 2).rounded(.toNearestOrEven)) }
        return PixelRect(
            x: margin(resized.width), y: margin(resized.height), width: inputSize, height: inputSize)
    }
}
