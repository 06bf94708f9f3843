/// What is done with each of a camera's frames: classified, by a second model too where there is one, told to the
/// screen, and kept where somebody asked for it.
///
/// Belongs to the camera's queue. Both models look at the same frame, one after the other, so neither's time holds the
/// other's.
public struct FramePipeline<Frame> {
    private let classifier: any FrameClassifier<Frame>
    private let other: (any FrameClassifier<Frame>)?
    private let capture: CaptureRequest
    private let copy: (Frame) throws -> RGBImage
    private var reporter: LiveReporter

    /// `copy` makes an image of a frame that `capture` asks for.
    public init(
        classifier: any FrameClassifier<Frame>, other: (any FrameClassifier<Frame>)? = nil, capture: CaptureRequest,
        reporter: LiveReporter = LiveReporter(), copy: @escaping (Frame) throws -> RGBImage
    ) {
        self.classifier = classifier
        self.other = other
        self.capture = capture
        self.copy = copy
        self.reporter = reporter
    }

    /// Takes in a frame that arrived at `arrival`, nanoseconds of a monotonic clock.
    ///
    /// - Returns: what the screen is to be told, nil where it was told just before; and the frame as a photo with its
    ///   own answer, nil where nobody asked for it.
    /// - Throws: what classifying or copying throws.
    public mutating func take(_ frame: Frame, arrival: Int) throws -> (update: LiveUpdate?, photo: CapturedPhoto?) {
        let answer = try classifier.classify(frame)
        let second = try other?.classify(frame)
        let update = reporter.frame(arrival: arrival, answer, other: second)
        guard capture.take() else { return (update, nil) }
        return (update, CapturedPhoto(image: try copy(frame), predictions: answer.predictions))
    }

    /// Counts a frame that came too early to be looked at.
    public mutating func frameDropped() { reporter.frameDropped() }
}
