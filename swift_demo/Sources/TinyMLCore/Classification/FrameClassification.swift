/// What a model says of one frame, and how long each stage took.
public struct FrameClassification: Hashable, Sendable {
    /// The best classes, best first.
    public let top: [Prediction]
    public let times: StageTimes

    public init(top: [Prediction], times: StageTimes) {
        self.top = top
        self.times = times
    }
}

/// What the live view shows: the newest frame and the speed of the last ones.
public struct LiveUpdate: Hashable, Sendable {
    public let top: [Prediction]
    public let reading: LiveReading

    public init(top: [Prediction], reading: LiveReading) {
        self.top = top
        self.reading = reading
    }
}
