import Foundation

/// A benchmark of nothing: it drives the whole machinery with a clock and a backend that only pretend.
///
/// Its results say so three times: the backend is "selftest", every result is flagged `simulated_backend`, and no
/// series bears the name of a measured one.
public enum SimulatedBenchmark {
    /// The prefix of every series.
    public static let seriesPrefix = "simulated_"

    /// The results of a simulated run over two kinds of compute units.
    public static func results(plan: BenchmarkPlan, report: @escaping (BenchmarkPhase) -> Void = { _ in })
        -> [BenchResult]
    {
        let clock = VirtualClock()
        let runner = BenchmarkRunner(
            plan: plan, backend: Backend(clock: clock), conditions: Conditions(), clock: clock, report: report)
        let subject = BenchmarkSubject(
            model: "selftest", variant: "selftest", sha256: SHA256Digest.hex(Data("selftest".utf8)), bytes: 1)
        return runner.run(subject, units: [.cpuOnly, .all]).map { result in
            BenchResult(
                measured: result.case, series: result.series.compactMap { Series(seriesPrefix + $0.name, $0.samples) },
                placement: nil, flags: (result.flags + [ValidityFlag.simulated.rawValue]).sorted())
        }
    }

    private final class VirtualClock: BenchmarkClock {
        private(set) var now = 0

        func sleep(until moment: Int) { now = max(now, moment) }
        func advance(_ nanoseconds: Int) { now += nanoseconds }
    }

    private struct Conditions: BenchmarkConditions {
        let thermalState = ThermalState.nominal
        let isLowPowerMode = false
        let isDebugBuild = false
        let isDebuggerAttached = false
        let isSimulator = false
        let isInBackground = false
        let isBesideCamera = false
        let memoryBytes: Int? = nil
    }

    private struct Backend: BenchmarkBackend {
        let name = "selftest"
        let clock: VirtualClock

        func prepare() {}
        func compile() { clock.advance(80_000_000) }
        func store() {}
        func load(units: Units) -> any BenchmarkSession {
            clock.advance(40_000_000)
            return Session(clock: clock, base: units == .cpuOnly ? 3_000_000 : 1_000_000)
        }
        func placement(units: Units) -> Placement? { nil }
    }

    /// Predictions that take a little longer every seventh time, so that percentiles differ.
    private final class Session: BenchmarkSession {
        private let clock: VirtualClock
        private let base: Int
        private var count = 0

        init(clock: VirtualClock, base: Int) {
            self.clock = clock
            self.base = base
        }

        func preprocess() { clock.advance(400_000) }
        func predict() {
            count += 1
            clock.advance(base + count % 7 * 20_000)
        }
        func postprocess() { clock.advance(50_000) }
    }
}
