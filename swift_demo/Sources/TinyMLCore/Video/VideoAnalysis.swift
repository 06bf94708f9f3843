/// A video whose single pictures can be had: the system's reader of a file, or a fake in the tests.
public protocol VideoSource: Sendable {
    /// The length in seconds.
    func duration() async throws -> Double
    /// The upright picture at a moment, or the nearest one.
    func picture(at seconds: Double) async throws -> RGBImage
}

/// Why a video cannot be looked at; `phrase` is one sentence for the user.
public enum VideoError: Error, Equatable, Sendable, ExplainedError {
    case empty(name: String)
    /// No moment could be read; the reason is the first one's.
    case unreadable(name: String, reason: Phrase)

    public var phrase: Phrase {
        switch self {
        case .empty(let name): Phrase("%@ has no length: there is nothing to look at", name)
        case .unreadable(let name, let reason):
            Phrase("no picture of %@ can be read: %@", phrases: [.verbatim(name), reason])
        }
    }
}

/// Looks at a video at even steps and says what is seen when.
public struct VideoAnalysis: Sendable {
    /// Four moments a second, but no more than these in all: a long video is looked at more coarsely.
    static let mostMoments = 600
    static let step = 0.25
    /// The time constant of the average over moments, in nanoseconds.
    private static let smoothing = 500_000_000

    private let name: String
    private let source: any VideoSource
    private let classify: @Sendable (RGBImage) async throws -> FrameClassification

    public init(
        name: String, source: any VideoSource,
        classify: @escaping @Sendable (RGBImage) async throws -> FrameClassification
    ) {
        self.name = name
        self.source = source
        self.classify = classify
    }

    /// The moments of a video of that length, in seconds.
    static func moments(duration: Double) -> [Double] {
        guard duration.isFinite, duration > 0 else { return [] }
        let count = max(1, min(mostMoments, Int((duration / step).rounded(.down))))
        return (0..<count).map { Double($0) * duration / Double(count) }
    }

    /// Classifies the moments; `report` is told the share that is done, 0 to 1.
    ///
    /// A moment that cannot be read is left out, as long as any can.
    ///
    /// - Throws: `VideoError`, `CancellationError`, or what classifying throws.
    public func run(report: @Sendable (Double) async -> Void) async throws -> VideoTimeline {
        let duration = try await source.duration()
        let moments = Self.moments(duration: duration)
        guard !moments.isEmpty else { throw VideoError.empty(name: name) }
        var smoother = FrameSmoother(timeConstant: Self.smoothing)
        var samples: [VideoTimeline.Sample] = []
        var failure: Phrase?
        for (index, seconds) in moments.enumerated() {
            try Task.checkCancellation()
            await report(Double(index) / Double(moments.count))
            let picture: RGBImage
            do {
                picture = try await source.picture(at: seconds)
            } catch {
                failure = failure ?? Phrase(of: error)
                continue
            }
            let predictions = smoother.add(try await classify(picture).predictions, at: Int(seconds * 1e9))
            samples.append(VideoTimeline.Sample(seconds: seconds, top: predictions.top(5)))
        }
        guard !samples.isEmpty else { throw VideoError.unreadable(name: name, reason: failure ?? "unknown reason") }
        return VideoTimeline(duration: duration, samples: samples)
    }
}
