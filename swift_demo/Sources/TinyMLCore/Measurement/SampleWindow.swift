/// The newest values of a stream, at most `capacity`.
public struct SampleWindow: Sendable {
    public let capacity: Int
    private var values: [Int] = []
    private var next = 0

    public init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    /// Takes a value in; the oldest one leaves when the window is full.
    public mutating func add(_ value: Int) {
        if values.count < capacity {
            values.append(value)
        } else {
            values[next] = value
            next = (next + 1) % capacity
        }
    }

    /// Nil while the window is empty.
    public var statistics: SampleStatistics? { SampleStatistics(values) }
}
