/// What raw samples say, computed as the Python tool computes it (numpy's definitions).
public struct SampleStatistics: Hashable, Sendable {
    public let count: Int
    public let mean: Double
    /// Of the sample (divided by count - 1); nil for a single value.
    public let standardDeviation: Double?
    public let minimum: Double
    public let maximum: Double
    private let sorted: [Double]

    /// Nil where there are no samples: nothing can be said of them.
    public init?(_ samples: [Int]) {
        self.init(samples.map(Double.init))
    }

    /// Nil where there are no samples.
    public init?(_ samples: [Double]) {
        sorted = samples.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        count = sorted.count
        minimum = first
        maximum = last
        let mean = sorted.reduce(0, +) / Double(count)
        self.mean = mean
        let squares = sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        standardDeviation = count > 1 ? (squares / Double(count - 1)).squareRoot() : nil
    }

    /// The value below which `percent` of the samples lie, interpolated linearly between neighbors.
    public func percentile(_ percent: Double) -> Double {
        let place = min(max(percent, 0), 100) / 100 * Double(count - 1)
        let lower = Int(place.rounded(.down))
        let upper = min(lower + 1, count - 1)
        return sorted[lower] + (sorted[upper] - sorted[lower]) * (place - Double(lower))
    }

    public var median: Double { percentile(50) }
}
