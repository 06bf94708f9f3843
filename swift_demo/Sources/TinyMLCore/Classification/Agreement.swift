/// How far two models say the same of the same frames.
public struct Agreement: Hashable, Sendable {
    public let frames: Int
    /// The share of frames in which both name the same class first, 0 to 1.
    public let sameClass: Double
    /// The mean over frames of the largest difference of a class's probability.
    public let meanDifference: Double
    public let first: LiveReading.Latency
    public let second: LiveReading.Latency
}

/// Compares two models over the newest frames.
public struct AgreementMeter: Sendable {
    private let capacity: Int
    private var same: [Bool] = []
    private var differences: [Double] = []
    private var first: SampleWindow
    private var second: SampleWindow

    public init(window: Int = 120) {
        capacity = window
        (first, second) = (SampleWindow(capacity: window), SampleWindow(capacity: window))
    }

    /// Takes in what both models say of one frame, and how long each took to predict, in nanoseconds.
    public mutating func frame(
        _ one: [Prediction], _ other: [Prediction], predictTimes: (one: Int, other: Int)
    ) {
        append(one.top(1).first?.label == other.top(1).first?.label, to: &same)
        append(Self.difference(one, other), to: &differences)
        first.add(predictTimes.one)
        second.add(predictTimes.other)
    }

    /// Nil until a frame has come.
    public var reading: Agreement? {
        guard let one = first.statistics, let other = second.statistics else { return nil }
        let count = Double(same.count)
        return Agreement(
            frames: same.count, sameClass: Double(same.filter { $0 }.count) / count,
            meanDifference: differences.reduce(0, +) / count,
            first: .init(p50: one.median / 1e6, p95: one.percentile(95) / 1e6),
            second: .init(p50: other.median / 1e6, p95: other.percentile(95) / 1e6))
    }

    private func append<T>(_ value: T, to list: inout [T]) {
        if list.count == capacity { list.removeFirst() }
        list.append(value)
    }

    private static func difference(_ one: [Prediction], _ other: [Prediction]) -> Double {
        let others = Dictionary(other.map { ($0.label, $0.probability) }, uniquingKeysWith: { first, _ in first })
        let ones = Dictionary(one.map { ($0.label, $0.probability) }, uniquingKeysWith: { first, _ in first })
        return Set(ones.keys).union(others.keys).map { abs((ones[$0] ?? 0) - (others[$0] ?? 0)) }.max() ?? 0
    }
}
