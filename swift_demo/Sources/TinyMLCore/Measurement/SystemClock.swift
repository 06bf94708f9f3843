import Foundation

/// The system's monotonic clock, which goes on while the system sleeps.
public struct SystemClock: BenchmarkClock, Sendable {
    private let start = ContinuousClock.now

    public init() {}

    public var now: Int {
        let elapsed = (ContinuousClock.now - start).components
        return Int(elapsed.seconds) * 1_000_000_000 + Int(elapsed.attoseconds / 1_000_000_000)
    }

    public func sleep(until moment: Int) {
        let wait = moment - now
        if wait > 0 { Thread.sleep(forTimeInterval: Double(wait) / 1e9) }
    }
}
