/// One class and how probable the model finds it.
public struct Prediction: Hashable, Sendable {
    public let label: String
    public let probability: Double

    public init(label: String, probability: Double) {
        self.label = label
        self.probability = probability
    }
}

extension [Prediction] {
    /// The classes of a model that gives bare numbers, in the order of its labels; nil where there are more or fewer.
    public init?(_ scores: [Float], labels: [String]) {
        guard scores.count == labels.count else { return nil }
        self = zip(labels, scores).map { Prediction(label: $0, probability: Double($1)) }
    }
}

extension Sequence where Element == Prediction {
    /// The `count` most probable classes, best first; equal ones in the order of their labels, so that lists do not
    /// flicker.
    public func top(_ count: Int) -> [Prediction] {
        Array(sorted { ($1.probability, $0.label) < ($0.probability, $1.label) }.prefix(count))
    }
}
