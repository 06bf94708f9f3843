import Foundation

/// Holds work until a test lets it go on.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    /// Blocks the calling thread, which must be none that asynchronous work shares.
    func wait() { semaphore.wait() }
    func open() { semaphore.signal() }
}
