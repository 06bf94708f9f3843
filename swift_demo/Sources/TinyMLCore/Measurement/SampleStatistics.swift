import Foundation

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

    /// The 95% confidence interval of the median, from order statistics; nil below six samples, which allow none.
    ///
    /// From the k-th smallest to the k-th largest sample, k the largest for which the interval still covers 95%.
    public var medianInterval: ClosedRange<Double>? {
        var tail = 0.0
        var rank = 0
        while rank < count / 2 {
            let (n, k) = (Double(count), Double(rank))
            // The probability of `rank` heads in `count` tosses, by logarithms: the factorials of long series overflow.
            tail += exp(logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1) - n * log(2))
            if tail > 0.025 { break }
            rank += 1
        }
        return rank == 0 ? nil : sorted[rank - 1]...sorted[count - rank]
    }

    /// The logarithm of the gamma function of a positive number.
    private func logGamma(_ value: Double) -> Double {
        // lgamma writes a global sign in C, and so is not safe in Swift; lgamma_r hands it back.
        var sign: Int32 = 0
        return lgamma_r(value, &sign)
    }
}
