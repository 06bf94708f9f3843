/// How frames become answers.
public struct LiveSettings: Hashable, Sendable {
    /// The probability from which on a class is told, 0 to 1.
    public var threshold: Double
    /// The time constant of the average over frames, in nanoseconds; 0 for none.
    public var smoothing: Int

    public init(threshold: Double = 0.5, smoothing: Int = 300_000_000) {
        self.threshold = threshold
        self.smoothing = smoothing
    }
}

/// What the live view shows: the newest answer and the speed of the last frames.
public struct LiveUpdate: Hashable, Sendable {
    public let verdict: Verdict
    /// The best classes, best first, averaged over frames where that is wanted.
    public let top: [Prediction]
    public let reading: LiveReading
    /// How far a second model says the same; nil where there is none.
    public let agreement: Agreement?

    public init(verdict: Verdict, top: [Prediction], reading: LiveReading, agreement: Agreement? = nil) {
        self.verdict = verdict
        self.top = top
        self.reading = reading
        self.agreement = agreement
    }
}

/// Turns classified frames into what a screen shows, at most ten times a second.
public struct LiveReporter: Sendable {
    private static let interval = 100_000_000

    private let settings: LiveSettings
    private var smoother: FrameSmoother
    private var meter = LiveMeter()
    private var agreement = AgreementMeter()
    private var lastUpdate: Int?

    public init(settings: LiveSettings) {
        self.settings = settings
        smoother = FrameSmoother(timeConstant: settings.smoothing)
    }

    /// Takes in a frame that arrived at `arrival`, nanoseconds of a monotonic clock, and what a second model says of
    /// it. The speed is the first model's: what the second costs is told in the agreement.
    ///
    /// - Returns: nil where the screen was told less than a tenth of a second ago.
    public mutating func frame(
        arrival: Int, _ frame: FrameClassification, other: FrameClassification? = nil
    ) -> LiveUpdate? {
        meter.frame(arrival: arrival, times: frame.times)
        if let other {
            agreement.frame(
                frame.predictions, other.predictions, predictTimes: (frame.times.predict, other.times.predict))
        }
        let smoothed = smoother.add(frame.predictions, at: arrival)
        guard lastUpdate.map({ arrival - $0 >= Self.interval }) ?? true, let reading = meter.reading else { return nil }
        lastUpdate = arrival
        return LiveUpdate(
            verdict: Verdict(smoothed, threshold: settings.threshold), top: smoothed.top(5), reading: reading,
            agreement: agreement.reading)
    }

    /// Counts a frame that came too early to be looked at.
    public mutating func frameDropped() { meter.frameDropped() }
}
