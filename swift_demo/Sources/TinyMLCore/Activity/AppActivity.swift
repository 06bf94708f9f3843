import Foundation

/// What the app does beside a measurement: whether the user can see it, and whether its camera is live.
///
/// One for the whole app, told by the screens and asked by a running benchmark on its own queue.
public final class AppActivity: Sendable {
    private let lock = NSLock()
    nonisolated(unsafe) private var background = false
    nonisolated(unsafe) private var cameras = 0

    public init() {}

    /// Whether no window of the app is in front: the system slows such apps and refuses them the GPU.
    public var isInBackground: Bool {
        get { lock.withLock { background } }
        set { lock.withLock { background = newValue } }
    }

    /// Whether a live picture is classified just now, in any window.
    public var isCameraLive: Bool { lock.withLock { cameras > 0 } }

    /// Does `work` and counts a live picture for as long as it takes.
    public func whileCameraIsLive<Result>(
        isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Result
    ) async rethrows -> Result {
        lock.withLock { cameras += 1 }
        defer { lock.withLock { cameras -= 1 } }
        return try await work()
    }
}
