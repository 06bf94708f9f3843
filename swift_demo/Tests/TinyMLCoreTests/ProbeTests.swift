import Testing

@testable import TinyMLCore

struct ProbeTests {
    final class Live { var count = 0 }
    final class B: BenchmarkBackend {
        let name = "fake"; let clock: FakeClock; let live = Live()
        init(_ c: FakeClock) { clock = c }
        func compile() { clock.advance(50_000_000) }
        func load(units: Units) throws -> any BenchmarkSession { S(self) }
        func placement(units: Units) -> Placement? { nil }
        final class S: BenchmarkSession {
            let b: B
            init(_ b: B) { self.b = b; b.live.count += 1 }
            deinit { b.live.count -= 1 }
            func preprocess() {}
            func predict() { b.clock.advance(1_000_000) }
            func postprocess() {}
        }
    }
    struct C: BenchmarkConditions {
        let live: Live; let thermalState: ThermalState
        let isLowPowerMode = false, isDebugBuild = false, isDebuggerAttached = false, isSimulator = false
        var memoryBytes: Int? { 50_000_000 + 100_000_000 * live.count }
    }
    @Test func probe() {
        for (n, plan) in [("full", BenchmarkPlan.full), ("quick", .quick)] {
            for t in [ThermalState.nominal, .fair] {
                let clock = FakeClock(); let b = B(clock)
                let r = BenchmarkRunner(plan: plan, backend: b, conditions: C(live: b.live, thermalState: t), clock: clock)
                let s = BenchmarkSubject(model: "m", variant: "v", sha256: String(repeating: "a", count: 64), bytes: 7)
                let res = r.run(s, units: Units.coreMLUnits)
                print("PROBE", n, t, "seconds", clock.now / 1_000_000_000, "peak MB", res.map { $0.series.first { $0.name == "peak_memory_bytes" }!.samples[0] / 1_000_000 }, "baseline MB", res.map { $0.series.first { $0.name == "baseline_memory_bytes" }!.samples[0] / 1_000_000 })
            }
        }
    }
}
