/// The times of one frame's way through the app, in nanoseconds.
public struct StageTimes: Hashable, Sendable {
    public let preprocess: Int
    public let predict: Int
    public let postprocess: Int

    public init(preprocess: Int, predict: Int, postprocess: Int) {
        self.preprocess = preprocess
        self.predict = predict
        self.postprocess = postprocess
    }

    public var total: Int { preprocess + predict + postprocess }
}

/// What the live view says of speed.
public struct LiveReading: Hashable, Sendable {
    /// The middle and the slow end of a stage, in milliseconds.
    public struct Latency: Hashable, Sendable {
        public let p50: Double
        public let p95: Double
    }

    public let preprocess: Latency
    public let predict: Latency
    public let postprocess: Latency
    public let total: Latency
    /// Nil until two frames have come.
    public let framesPerSecond: Double?
    public let droppedFrames: Int
    public let frames: Int
}

/// Latency and frame rate over the newest frames, and every frame that the camera dropped since the start.
public struct LiveMeter: Sendable {
    private var preprocess: SampleWindow
    private var predict: SampleWindow
    private var postprocess: SampleWindow
    private var total: SampleWindow
    private var intervals: SampleWindow
    private var lastFrame: Int?
    private var dropped = 0
    private var frames = 0

    public init(window: Int = 120) {
        let empty = SampleWindow(capacity: window)
        (preprocess, predict, postprocess, total, intervals) = (empty, empty, empty, empty, empty)
    }

    /// Takes in a classified frame that arrived at `arrival`, nanoseconds of a monotonic clock.
    public mutating func frame(arrival: Int, times: StageTimes) {
        preprocess.add(times.preprocess)
        predict.add(times.predict)
        postprocess.add(times.postprocess)
        total.add(times.total)
        if let lastFrame { intervals.add(arrival - lastFrame) }
        lastFrame = arrival
        frames += 1
    }

    /// Counts a frame that came too early to be looked at.
    public mutating func frameDropped() {
        dropped += 1
    }

    /// Nil until a frame has come.
    public var reading: LiveReading? {
        guard let preprocess = latency(preprocess), let predict = latency(predict),
            let postprocess = latency(postprocess), let total = latency(total)
        else { return nil }
        let interval = intervals.statistics?.mean ?? 0
        return LiveReading(
            preprocess: preprocess, predict: predict, postprocess: postprocess, total: total,
            framesPerSecond: interval > 0 ? 1e9 / interval : nil, droppedFrames: dropped, frames: frames)
    }

    private func latency(_ window: SampleWindow) -> LiveReading.Latency? {
        window.statistics.map { LiveReading.Latency(p50: $0.median / 1e6, p95: $0.percentile(95) / 1e6) }
    }
}
