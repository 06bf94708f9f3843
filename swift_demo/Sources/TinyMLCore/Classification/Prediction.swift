/// One class and how probable the model finds it.
public struct Prediction: Hashable, Sendable {
    public let label: String
    public let probability: Double

    public init(label: String, probability: Double) {
        self.label = label
        self.probability = probability
    }
}

extension Sequence where Element == Prediction {
    /// The `count` most probable classes, best first; equal ones in the order of their labels, so that lists do not
    /// flicker.
    public func top(_ count: Int) -> [Prediction] {
        Array(sorted { ($1.probability, $0.label) < ($0.probability, $1.label) }.prefix(count))
    }
}
