import Foundation

/// One start of the camera. A later start has a larger token.
public struct CameraToken: Hashable, Sendable, Comparable {
    let number: Int

    public static func < (first: CameraToken, second: CameraToken) -> Bool { first.number < second.number }
}

/// Hands out tokens in the order in which starts are asked for, whatever order they arrive in afterwards.
public final class CameraTokens: Sendable {
    private let lock = NSLock()
    nonisolated(unsafe) private var last = 0

    public init() {}

    public func next() -> CameraToken {
        lock.withLock {
            last += 1
            return CameraToken(number: last)
        }
    }
}
