/// https://developer.apple.com/documentation/os/ossignposter
public struct OSSignposter: Sendable {
    /// https://developer.apple.com/documentation/os/ossignposter/init(subsystem:category:)
    public init(subsystem: String, category: String) {}
    /// https://developer.apple.com/documentation/os/ossignposter/withintervalsignpost(_:id:around:)
    public func withIntervalSignpost<T>(
        _ name: StaticString, around task: () throws -> T
    ) rethrows -> T { stub() }
}
