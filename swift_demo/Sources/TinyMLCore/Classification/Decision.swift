import Foundation

/// What is told of an image: a class, or that no class is probable enough.
public enum Verdict: Hashable, Sendable {
    case sure(Prediction)
    /// The best guess is below the threshold; nil where there is none.
    case unsure(Prediction?)

    /// The best class is told from a probability of `threshold` on, 0 to 1.
    public init(_ predictions: [Prediction], threshold: Double) {
        let best = predictions.top(1).first
        if let best, best.probability >= threshold { self = .sure(best) } else { self = .unsure(best) }
    }
}

/// A moving average of probabilities over frames, so that one odd frame changes no answer.
///
/// Older frames fade with a time constant rather than by number, so the effect does not hang on the frame rate. The
/// first frame counts in full, and weights always add up to one.
public struct FrameSmoother: Sendable {
    private let timeConstant: Int
    private var state: [String: Double] = [:]
    private var last: Int?

    /// `timeConstant` is the nanoseconds after which a frame has faded to 1/e; 0 smooths nothing.
    public init(timeConstant: Int) {
        self.timeConstant = timeConstant
    }

    /// The smoothed probabilities once a frame has come at `time`, nanoseconds of a monotonic clock.
    ///
    /// A class that a frame does not name counts as 0 in it.
    public mutating func add(_ predictions: [Prediction], at time: Int) -> [Prediction] {
        let elapsed = last.map { max(0, time - $0) }
        last = time
        let kept = elapsed.map { timeConstant > 0 ? exp(-Double($0) / Double(timeConstant)) : 0 } ?? 0
        let found = Dictionary(predictions.map { ($0.label, $0.probability) }, uniquingKeysWith: { first, _ in first })
        for label in Set(state.keys).union(found.keys) {
            state[label] = kept * (state[label] ?? 0) + (1 - kept) * (found[label] ?? 0)
        }
        return state.map { Prediction(label: $0.key, probability: $0.value) }
    }

    /// Forgets what came before: the camera or the model is another now.
    public mutating func reset() {
        state = [:]
        last = nil
    }
}
