/// How much is measured.
public struct BenchmarkPlan: Hashable, Sendable {
    /// Predictions before the timed ones, each time that a model was loaded.
    public let warmup: Int
    /// Rounds of the burst; each visits all compute units in turn, so that heat favors none.
    public let rounds: Int
    /// Timed predictions of one visit.
    public let repeats: Int
    /// The paced part's frame rate, per second.
    public let pacedRate: Int
    /// The paced part's length in seconds; 0 leaves it out.
    public let pacedSeconds: Int
    /// How long to wait, in seconds and all parts together, for a device to cool down to nominal.
    public let thermalWaitSeconds: Int
    /// Whether this is a first look rather than a measurement to rely on.
    public let quick: Bool

    init(
        warmup: Int, rounds: Int, repeats: Int, pacedRate: Int, pacedSeconds: Int, thermalWaitSeconds: Int, quick: Bool
    ) {
        self.warmup = warmup
        self.rounds = rounds
        self.repeats = repeats
        self.pacedRate = pacedRate
        self.pacedSeconds = pacedSeconds
        self.thermalWaitSeconds = thermalWaitSeconds
        self.quick = quick
    }

    /// The measurement: 20 warm-ups, 5 rounds of 200, then 30 frames a second for a minute.
    public static let full = BenchmarkPlan(
        warmup: 20, rounds: 5, repeats: 200, pacedRate: 30, pacedSeconds: 60, thermalWaitSeconds: 120, quick: false)

    /// A first look of a few seconds.
    public static let quick = BenchmarkPlan(
        warmup: 5, rounds: 2, repeats: 30, pacedRate: 30, pacedSeconds: 4, thermalWaitSeconds: 10, quick: true)
}
