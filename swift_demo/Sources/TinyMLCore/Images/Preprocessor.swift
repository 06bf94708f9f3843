/// Makes a model's input of camera frames and photos: turned upright, resized and cropped as in training.
///
/// Colors stay 0 to 255: the exported model normalizes by itself. The weights of the last image size are kept, since
/// a camera's frames are all alike; so a preprocessor belongs to one queue.
public struct Preprocessor {
    public let preprocess: Preprocess
    private var resampler: Resampler?

    public init(_ preprocess: Preprocess) {
        self.preprocess = preprocess
    }

    /// The model's input, `inputSize` pixels square.
    public mutating func input(from source: PixelSource, orientation: ImageOrientation = .up) -> RGBImage {
        let upright = source.oriented(orientation)
        if let resampler, resampler.fits(upright) { return resampler.resize(upright) }
        let size = PixelSize(width: upright.width, height: upright.height)
        let resized = preprocess.resizedSize(of: size)
        let made = Resampler(from: size, to: resized, window: preprocess.cropWindow(in: resized))
        resampler = made
        return made.resize(upright)
    }
}
