import Foundation

extension BenchRun {
    /// The version that this package names as its own in results.
    public static let toolVersion = "0.1.0"

    /// A run of results taken just now; its id says when and by what.
    public init(
        results: [BenchResult], plan: BenchmarkPlan, environment: MachineEnvironment, command: String,
        date: Date = Date()
    ) {
        let createdAt = date.formatted(.iso8601)
        let compact = createdAt.filter { $0 != "-" && $0 != ":" }
        self.init(
            id: "swift-\(environment.os.rawValue)-\(compact)", quick: plan.quick, environment: environment,
            provenance: Provenance(createdAt: createdAt, command: command, toolVersion: Self.toolVersion),
            results: results)
    }
}
