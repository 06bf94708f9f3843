#if canImport(SwiftUI)
import Foundation
import Observation
import TinyMLApple
import TinyMLCore

/// The benchmark's state, the same in all windows: two runs at once would measure each other.
@MainActor
@Observable
final class BenchmarkModel {
    /// A finished run and the file that holds it.
    struct Report {
        let run: BenchRun
        let json: Data
        let file: URL
    }

    /// What the screen shows, but for the chosen model.
    var screen = BenchmarkScreen()
    private(set) var report: Report?
    @ObservationIgnored private var job: BenchmarkJob?
    @ObservationIgnored private let wakefulness = Wakefulness(DeviceWakefulness())

    /// Measures a model with the device kept awake; the result lands in a file to be shared.
    func run(_ model: InstalledModel, breadcrumb: LoadBreadcrumb, activity: AppActivity) async {
        guard !screen.isRunning else { return }
        let job = BenchmarkJob()
        self.job = job
        screen.begin()
        report = nil
        let (phases, continuation) = AsyncStream.makeStream(
            of: BenchmarkPhase.self, bufferingPolicy: .bufferingNewest(1))
        let watcher = Task { for await phase in phases { screen.phase = phase } }
        do {
            let run = try await wakefulness.during(reason: "measures a model") {
                try await job.run(
                    model: model, units: Units.coreMLUnits.filter(screen.units.contains),
                    plan: screen.isQuick ? .quick : .full, command: "TinyMLDemo", breadcrumb: breadcrumb,
                    activity: activity, report: { continuation.yield($0) })
            }
            let entry = try BenchmarkHistory(folder: AppFolders.benchmarks).add(run)
            report = Report(run: run, json: try run.json(), file: entry.file)
            screen.run = run
        } catch {
            screen.problem = Phrase(of: error)
        }
        continuation.finish()
        await watcher.value
        screen.end()
        self.job = nil
    }

    /// Ends the run soon.
    func cancel() { job?.cancel() }
}
#endif
