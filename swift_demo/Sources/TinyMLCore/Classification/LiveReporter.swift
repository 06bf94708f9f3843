/// What a second model says of the same frames.
public struct SecondAnswer: Hashable, Sendable {
    /// Its best classes, best first, averaged over frames like the first model's.
    public let top: [Prediction]
    /// How far both say the same, and what each costs.
    public let agreement: Agreement

    public init(top: [Prediction], agreement: Agreement) {
        self.top = top
        self.agreement = agreement
    }
}

/// What the live view shows: the newest answer and the speed of the last frames.
public struct LiveUpdate: Hashable, Sendable {
    /// The best classes, best first, averaged over frames.
    public let top: [Prediction]
    public let reading: LiveReading
    /// Nil where there is no second model.
    public let other: SecondAnswer?

    public init(top: [Prediction], reading: LiveReading, other: SecondAnswer? = nil) {
        self.top = top
        self.reading = reading
        self.other = other
    }
}

/// Turns classified frames into what a screen shows, at most ten times a second.
public struct LiveReporter: Sendable {
    private static let interval = 100_000_000

    private var smoother: FrameSmoother
    private var otherSmoother: FrameSmoother
    private var meter = LiveMeter()
    private var agreement = AgreementMeter()
    private var lastUpdate: Int?

    /// `smoothing` is the time constant of the average over frames, in nanoseconds; 0 for none.
    public init(smoothing: Int = 300_000_000) {
        smoother = FrameSmoother(timeConstant: smoothing)
        otherSmoother = FrameSmoother(timeConstant: smoothing)
    }

    /// Takes in a frame that arrived at `arrival`, nanoseconds of a monotonic clock, and what a second model says of
    /// it. The speed is the first model's: what the second costs is told in the agreement.
    ///
    /// - Returns: nil where the screen was told less than a tenth of a second ago.
    public mutating func frame(
        arrival: Int, _ frame: FrameClassification, other: FrameClassification? = nil
    ) -> LiveUpdate? {
        meter.frame(arrival: arrival, times: frame.times)
        let smoothed = smoother.add(frame.predictions, at: arrival)
        var otherTop: [Prediction] = []
        if let other {
            agreement.frame(
                frame.predictions, other.predictions, predictTimes: (frame.times.predict, other.times.predict))
            otherTop = otherSmoother.add(other.predictions, at: arrival).top(5)
        }
        guard lastUpdate.map({ arrival - $0 >= Self.interval }) ?? true, let reading = meter.reading else { return nil }
        lastUpdate = arrival
        let second = agreement.reading.map { SecondAnswer(top: otherTop, agreement: $0) }
        return LiveUpdate(top: smoothed.top(5), reading: reading, other: second)
    }

    /// Counts a frame that came too early to be looked at.
    public mutating func frameDropped() { meter.frameDropped() }
}
