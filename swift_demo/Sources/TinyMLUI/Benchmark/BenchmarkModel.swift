#if canImport(SwiftUI)
import Foundation
import Observation
import TinyMLApple
import TinyMLCore

/// The benchmark screen's state.
@MainActor
@Observable
final class BenchmarkModel {
    /// A finished run and the file that holds it.
    struct Report {
        let run: BenchRun
        let file: URL
    }

    private(set) var phase: BenchmarkPhase?
    private(set) var report: Report?
    private(set) var problem: String?
    var isQuick = true
    private var units = Set(Units.coreMLUnits)
    private var job: BenchmarkJob?

    var isRunning: Bool { job != nil }
    var hasUnits: Bool { !units.isEmpty }

    /// Whether some compute units are to be measured.
    subscript(includes unit: Units) -> Bool {
        get { units.contains(unit) }
        set { if newValue { units.insert(unit) } else { units.remove(unit) } }
    }

    /// Measures a model; the result lands in a file to be shared.
    func run(_ model: InstalledModel, breadcrumb: LoadBreadcrumb) async {
        let job = BenchmarkJob()
        self.job = job
        report = nil
        problem = nil
        let (phases, continuation) = AsyncStream.makeStream(
            of: BenchmarkPhase.self, bufferingPolicy: .bufferingNewest(1))
        let watcher = Task { for await phase in phases { self.phase = phase } }
        do {
            let run = try await job.run(
                model: model, units: Units.coreMLUnits.filter(units.contains), plan: isQuick ? .quick : .full,
                command: "TinyMLDemo", breadcrumb: breadcrumb, report: { continuation.yield($0) })
            let entry = try BenchmarkHistory(folder: AppFolders.benchmarks).add(run)
            report = Report(run: run, file: entry.file)
        } catch {
            problem = "\(error)"
        }
        continuation.finish()
        await watcher.value
        phase = nil
        self.job = nil
    }

    /// Ends the run soon.
    func cancel() { job?.cancel() }
}
#endif
