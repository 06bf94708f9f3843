/// What a model says of one frame, and how long each stage took.
public struct FrameClassification: Hashable, Sendable {
    /// The probabilities of all classes, best first.
    public let predictions: [Prediction]
    public let times: StageTimes

    public init(predictions: [Prediction], times: StageTimes) {
        self.predictions = predictions
        self.times = times
    }

    /// The best classes, best first.
    public var top: [Prediction] { Array(predictions.prefix(5)) }
}
