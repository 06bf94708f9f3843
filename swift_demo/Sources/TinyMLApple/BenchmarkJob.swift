#if canImport(CoreML)
import Foundation
import TinyMLCore

/// A benchmark of the app: on a queue of its own, cancellable, with its phases as a stream.
public final class BenchmarkJob: @unchecked Sendable {
    private let queue = DispatchQueue(label: "TinyMLDemo.benchmark", qos: .userInitiated)
    private let lock = NSLock()
    private var canceled = false

    public init() {}

    /// Ends the run soon; results say that they are incomplete.
    public func cancel() { lock.withLock { canceled = true } }

    /// Measures `model` on each of `units`.
    ///
    /// - Throws: what keeps the benchmark from beginning; what goes wrong later stands in the results.
    public func run(
        model: InstalledModel, units: [Units], plan: BenchmarkPlan, command: String, breadcrumb: LoadBreadcrumb? = nil,
        report: @escaping @Sendable (BenchmarkPhase) -> Void = { _ in }
    ) async throws -> BenchRun {
        let plans = await placements(of: model, units: units)
        return try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(
                    with: Result {
                        let backend = try CoreMLBenchmarkBackend(model: model, plans: plans, breadcrumb: breadcrumb)
                        return self.measure(
                            BenchmarkSubject(model.facts), units, plan, backend, command: command, report: report)
                    })
            }
        }
    }

    private func measure(
        _ subject: BenchmarkSubject, _ units: [Units], _ plan: BenchmarkPlan, _ backend: CoreMLBenchmarkBackend,
        command: String, report: @escaping @Sendable (BenchmarkPhase) -> Void
    ) -> BenchRun {
        let conditions = DeviceConditions()
        let environment = conditions.environment
        let runner = BenchmarkRunner(
            plan: plan, backend: backend, conditions: conditions,
            isCancelled: { self.lock.withLock { self.canceled } }, report: report)
        return BenchRun(
            results: runner.run(subject, units: units), plan: plan, environment: environment, command: command)
    }

    /// What the compute plan says, where the system can say it; a plan that fails leaves the placement absent.
    private func placements(of model: InstalledModel, units: [Units]) async -> [Units: Placement] {
        guard #available(iOS 17.4, macOS 14.4, *) else { return [:] }
        var found: [Units: Placement] = [:]
        for unit in units {
            if let compiled = try? CompiledModelCache.standard.compiled(model),
                let plan = try? await ComputePlanReader.plan(compiled: compiled, units: unit)
            {
                found[unit] = plan.placement
            }
        }
        return found
    }
}
#endif
