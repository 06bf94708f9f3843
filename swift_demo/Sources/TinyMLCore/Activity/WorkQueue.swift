import Dispatch
import Foundation

/// A queue for work that blocks its thread: compiling, loading and hashing would hold one of the few threads that all
/// asynchronous work shares.
public final class WorkQueue: Sendable {
    private let queue: DispatchQueue

    public init(label: String) {
        queue = DispatchQueue(label: label, qos: .userInitiated)
    }

    /// Does `work` on the queue, one after the other, while the caller is suspended.
    public func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }
}

/// Asynchronous work for callers on queues of their own, which may block.
public enum Blocking {
    /// Waits for `work` on the calling thread, which must be none that asynchronous work shares.
    public static func value<Value: Sendable>(
        of work: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let box = Box<Value>()
        let done = DispatchSemaphore(value: 0)
        Task {
            do { box.set(.success(try await work())) } catch { box.set(.failure(error)) }
            done.signal()
        }
        done.wait()
        return try box.value()
    }

    private final class Box<Value: Sendable>: Sendable {
        private let lock = NSLock()
        nonisolated(unsafe) private var result: Result<Value, any Error>?

        func set(_ result: Result<Value, any Error>) { lock.withLock { self.result = result } }

        func value() throws -> Value {
            guard let result = lock.withLock({ self.result }) else { throw CancellationError() }
            return try result.get()
        }
    }
}
