import Foundation

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

/// Probabilities of logits, computed from their distance to the largest, so that none overflows.
///
/// Exported models end in a softmax of their own; this one is for models that do not.
public func softmax(_ logits: [Double]) -> [Double] {
    guard let largest = logits.max() else { return [] }
    let powers = logits.map { exp($0 - largest) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
}
