import Testing

@testable import TinyMLCore

/// The state machine against a fake clock: what is measured, in which order, and what stops it.
struct BenchmarkRunnerTests {
    private let clock = FakeClock()
    private let conditions = FakeConditions()
    private let plan = BenchmarkPlan(
        warmup: 2, rounds: 2, repeats: 3, pacedRate: 10, pacedSeconds: 2, thermalWaitSeconds: 5, quick: true)
    private let subject = BenchmarkSubject(
        model: "vit", variant: "coreml-w8", sha256: String(repeating: "a", count: 64), bytes: 7)

    private func run(
        _ backend: FakeBackend, units: [Units] = [.cpuOnly, .all], canceled: @escaping () -> Bool = { false }
    ) -> (results: [BenchResult], phases: [BenchmarkPhase]) {
        var phases: [BenchmarkPhase] = []
        let runner = BenchmarkRunner(
            plan: plan, backend: backend, conditions: conditions, clock: clock, isCancelled: canceled,
            report: { phases.append($0) })
        return (runner.run(subject, units: units), phases)
    }

    private func samples(_ result: BenchResult, _ name: String) -> [Int] {
        result.series.first { $0.name == name }?.samples ?? []
    }

    @Test func phasesVisitAllUnitsInTurn() {
        let (_, phases) = run(FakeBackend(clock: clock))
        #expect(
            phases == [
                .loading(.cpuOnly), .loading(.all),
                .loading(.cpuOnly), .warmingUp(.cpuOnly), .burst(.cpuOnly, round: 1, of: 2),
                .loading(.all), .warmingUp(.all), .burst(.all, round: 1, of: 2),
                .loading(.cpuOnly), .warmingUp(.cpuOnly), .burst(.cpuOnly, round: 2, of: 2),
                .loading(.all), .warmingUp(.all), .burst(.all, round: 2, of: 2),
                .loading(.cpuOnly), .warmingUp(.cpuOnly),
                .paced(.cpuOnly, second: 1, of: 2), .paced(.cpuOnly, second: 2, of: 2),
                .loading(.all), .warmingUp(.all),
                .paced(.all, second: 1, of: 2), .paced(.all, second: 2, of: 2), .finished,
            ])
    }

    @Test func everyStepIsTimedApart() {
        let (results, _) = run(FakeBackend(clock: clock))
        for result in results {
            #expect(result.status == .ok)
            #expect(result.flags == ["few_samples"])
            #expect(result.placement?.neuralEngine == 9)
            #expect(samples(result, SeriesName.compile) == [50_000_000])
            #expect(samples(result, SeriesName.firstLoad) == [30_000_000])
            #expect(samples(result, SeriesName.cachedLoad) == [Int](repeating: 30_000_000, count: 3))
            #expect(samples(result, SeriesName.firstPredict) == [2_000_000])
            #expect(samples(result, SeriesName.latency) == [Int](repeating: 2_000_000, count: 6))
            #expect(samples(result, SeriesName.preprocess) == [Int](repeating: 500_000, count: 6))
            #expect(samples(result, SeriesName.postprocess) == [Int](repeating: 100_000, count: 6))
            #expect(samples(result, SeriesName.pacedLatency).count == 20)
            #expect(samples(result, SeriesName.baselineMemory) == [1000])
            #expect(samples(result, SeriesName.peakMemory) == [1000])
        }
    }

    @Test func pacingKeepsTheRate() {
        let backend = FakeBackend(clock: clock)
        let before = clock.now
        _ = run(backend, units: [.all])
        #expect(clock.now - before >= 1_900_000_000)
        #expect(clock.sleeps == 20)
    }

    @Test func aFailingLoadLeavesTheOthersAlone() {
        let backend = FakeBackend(clock: clock)
        backend.failingUnits = .cpuOnly
        let (results, _) = run(backend)
        #expect(results.map(\.status) == [.failed, .ok])
        #expect(results[0].reason == "the compiler of cpu_only gave up")
        #expect(results[0].placement == nil)
    }

    @Test func aDeviceThatStaysWarmIsFlagged() {
        conditions.thermalState = .fair
        let (results, phases) = run(FakeBackend(clock: clock), units: [.all])
        #expect(results[0].status == .ok)
        #expect(results[0].flags == ["few_samples", "thermal_fair"])
        #expect(phases.first == .cooling(secondsLeft: 5))
    }

    @Test func aRunWaitsForCoolingOnce() {
        conditions.thermalState = .fair
        let (_, phases) = run(FakeBackend(clock: clock), units: [.cpuOnly, .cpuAndGPU, .all])
        let waits = phases.filter { if case .cooling = $0 { true } else { false } }
        #expect(waits.count == plan.thermalWaitSeconds)
    }

    /// What the app measures, on all four kinds of units: a device that never gets cool costs one wait, not one a part.
    @Test(arguments: [(BenchmarkPlan.full, 252.6, 372.6), (.quick, 17.4, 27.4)])
    func aWarmDeviceMakesARunLongerByOneWait(plan: BenchmarkPlan, cool: Double, warm: Double) {
        func seconds(_ state: ThermalState) -> Double {
            let (clock, conditions) = (FakeClock(), FakeConditions())
            conditions.thermalState = state
            let runner = BenchmarkRunner(
                plan: plan, backend: FakeBackend(clock: clock), conditions: conditions, clock: clock,
                isCancelled: { false }, report: { _ in })
            _ = runner.run(subject, units: Units.coreMLUnits)
            return Double(clock.now) / 1e9
        }
        #expect(abs(seconds(.nominal) - cool) < 0.05, "\(seconds(.nominal)) s")
        #expect(abs(seconds(.fair) - warm) < 0.05, "\(seconds(.fair)) s")
    }

    @Test func memoryOfOneKindOfUnitsHoldsNoOthers() {
        let (own, session) = (50_000_000, 100_000_000)
        conditions.memoryBytes = own
        let backend = FakeBackend(clock: clock)
        backend.onLoad = { [conditions] in conditions.memoryBytes? += session }
        backend.onRelease = { [conditions] in conditions.memoryBytes? -= session }
        let (results, _) = run(backend, units: [.cpuOnly, .cpuAndGPU, .cpuAndNeuralEngine, .all])
        #expect(results.count == 4)
        for result in results {
            #expect(samples(result, SeriesName.baselineMemory) == [own])
            #expect(samples(result, SeriesName.peakMemory) == [own + session])
        }
        #expect(conditions.memoryBytes == own)
    }

    @Test func aFrameIsLateByAllItsStages() {
        let backend = FakeBackend(clock: clock)
        backend.postprocessTime = 99_000_000
        let (results, _) = run(backend, units: [.all])
        #expect(results[0].flags == ["few_samples", "late_frames"])
    }

    @Test func heatStopsTheRun() {
        let backend = FakeBackend(clock: clock)
        backend.onPredict = { [conditions] in if backend.predictions == 4 { conditions.thermalState = .serious } }
        let (results, _) = run(backend)
        #expect(results.map(\.status) == [.failed, .failed])
        #expect(results[0].reason == "stopped: the device's thermal state was serious")
        #expect(results[0].flags.contains("thermal_serious"))
        #expect(samples(results[1], SeriesName.latency).isEmpty)
    }

    @Test func cancellingKeepsWhatWasMeasuredApart() {
        let backend = FakeBackend(clock: clock)
        let (results, _) = run(backend, canceled: { backend.predictions >= 6 })
        #expect(results.allSatisfy { $0.status == .failed && $0.reason == "canceled before it was done" })
        #expect(samples(results[0], SeriesName.latency).count == 2)
    }

    @Test func whatMakesARunWorthlessIsFlagged() {
        conditions.isDebugBuild = true
        conditions.isDebuggerAttached = true
        conditions.isSimulator = true
        conditions.isLowPowerMode = true
        let (results, _) = run(FakeBackend(clock: clock), units: [.all])
        #expect(results[0].flags == ["debug_build", "debugger", "few_samples", "low_power_mode", "simulator"])
        let harmless = results[0].flags.compactMap(ValidityFlag.init).filter { !$0.invalidates }
        #expect(harmless == [.fewSamples])
    }

    @Test func aRunInTheBackgroundOrBesideTheCameraIsFlagged() {
        // Only for a moment, in the middle of the second round.
        for (key, flag) in [(\FakeConditions.isInBackground, "background"), (\.isBesideCamera, "beside_camera")] {
            let backend = FakeBackend(clock: clock)
            backend.onPredict = { [conditions] in conditions[keyPath: key] = backend.predictions == 9 }
            let (results, _) = run(backend, units: [.all])
            #expect(results[0].flags.contains(flag))
            #expect(results[0].isInvalid)
        }
        #expect(!run(FakeBackend(clock: clock), units: [.all]).results[0].isInvalid)
    }

    @Test func placementsAreAskedForAfterEverythingWasMeasured() {
        let backend = FakeBackend(clock: clock)
        _ = run(backend)
        #expect(backend.placementsAfter == [backend.predictions, backend.predictions])
    }

    @Test func slowingDownAndLateFramesAreFlagged() {
        let backend = FakeBackend(clock: clock)
        backend.predictTime = { $0 < 23 ? 2_000_000 : 150_000_000 }
        let (results, _) = run(backend, units: [.all])
        #expect(results[0].flags == ["few_samples", "late_frames", "slowed_down"])
    }
}
