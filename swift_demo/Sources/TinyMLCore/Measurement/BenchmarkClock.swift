/// A monotonic clock that can also wait; tests bring their own.
public protocol BenchmarkClock {
    /// Nanoseconds since some fixed moment.
    var now: Int { get }
    /// Returns at `moment` or later.
    func sleep(until moment: Int)
}
