#if canImport(CoreML)
import Foundation
import TinyMLCore

/// A benchmark of the app: on a queue of its own, cancellable, with its phases as a stream.
public final class BenchmarkJob: Sendable {
    private let queue = WorkQueue(label: "TinyMLDemo.benchmark")
    private let lock = NSLock()
    nonisolated(unsafe) private var canceled = false

    public init() {}

    /// Ends the run soon; results say that they are incomplete.
    public func cancel() { lock.withLock { canceled = true } }

    /// Measures `model` on each of `units`.
    ///
    /// - Throws: what keeps the benchmark from beginning; what goes wrong later stands in the results.
    public func run(
        model: InstalledModel, units: [Units], plan: BenchmarkPlan, command: String, breadcrumb: LoadBreadcrumb? = nil,
        activity: AppActivity? = nil, report: @escaping @Sendable (BenchmarkPhase) -> Void = { _ in }
    ) async throws -> BenchRun {
        try await queue.run {
            let backend = try CoreMLBenchmarkBackend(model: model, breadcrumb: breadcrumb)
            defer { backend.removeCopies() }
            let conditions = DeviceConditions(activity: activity)
            let environment = conditions.environment
            let runner = BenchmarkRunner(
                plan: plan, backend: backend, conditions: conditions,
                isCancelled: { self.lock.withLock { self.canceled } }, report: report)
            return BenchRun(
                results: runner.run(BenchmarkSubject(model.facts), units: units), plan: plan,
                environment: environment, command: command)
        }
    }
}
#endif
