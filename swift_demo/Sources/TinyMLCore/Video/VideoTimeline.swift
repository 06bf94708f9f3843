/// What a model says along a video: one answer for each looked-at moment, and the stretches that they add up to.
public struct VideoTimeline: Hashable, Sendable {
    /// One moment, in seconds from the video's beginning, and the classes there, best first, averaged over time.
    public struct Sample: Hashable, Sendable {
        public let seconds: Double
        public let top: [Prediction]

        public init(seconds: Double, top: [Prediction]) {
            self.seconds = seconds
            self.top = top
        }
    }

    /// Neighboring moments with the same answer.
    public struct Segment: Hashable, Sendable, Identifiable {
        public let start: Double
        /// Where the next stretch begins, or the video ends.
        public let end: Double
        /// Nil where no class is sure enough.
        public let label: String?
        /// The mean probability of the best class.
        public let probability: Double

        public var id: Double { start }
    }

    /// The video's length in seconds.
    public let duration: Double
    public let samples: [Sample]

    public init(duration: Double, samples: [Sample]) {
        self.duration = duration
        self.samples = samples
    }

    /// The stretches, in order and without gaps; classes below `threshold` are not told.
    public func segments(threshold: Double) -> [Segment] {
        var found: [(start: Double, label: String?, probabilities: [Double])] = []
        for sample in samples {
            guard let best = sample.top.first else { continue }
            let label = best.probability >= threshold ? best.label : nil
            if let last = found.indices.last, found[last].label == label {
                found[last].probabilities.append(best.probability)
            } else {
                found.append((sample.seconds, label, [best.probability]))
            }
        }
        return found.indices.map { index in
            let (start, label, probabilities) = found[index]
            let end = index + 1 < found.count ? found[index + 1].start : max(duration, start)
            return Segment(
                start: start, end: end, label: label,
                probability: probabilities.reduce(0, +) / Double(probabilities.count))
        }
    }

    /// The moments as comma-separated values, for a file.
    public var table: String {
        let lines = samples.compactMap { sample in
            sample.top.first.map { "\(sample.seconds),\(AnswerLog.quoted($0.label)),\($0.probability)" }
        }
        return (["seconds,label,probability"] + lines).joined(separator: "\n") + "\n"
    }
}
