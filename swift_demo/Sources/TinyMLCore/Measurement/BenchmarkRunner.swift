/// The artifact that a benchmark measures.
public struct BenchmarkSubject: Hashable, Sendable {
    public let model: String
    public let variant: String
    public let sha256: String
    public let bytes: Int

    public init(model: String, variant: String, sha256: String, bytes: Int) {
        self.model = model
        self.variant = variant
        self.sha256 = sha256
        self.bytes = bytes
    }

    public init(_ facts: ModelFacts) {
        self.init(model: facts.architecture, variant: facts.variant, sha256: facts.sha256, bytes: facts.bytes)
    }
}

/// Measures one artifact on several compute units: compiled and first loaded, then bursts in turn, then paced.
///
/// One session lives at a time: each part loads the model, warms it up, measures and lets it go, so that the memory of
/// one kind of units holds no other's. The device may cool down before each part, until the plan's patience is used up
/// for the whole run. From a fair thermal state on results are flagged, at a serious one it stops. Synchronous on
/// purpose: inside an async context Core ML's async prediction would be chosen and timed.
public struct BenchmarkRunner {
    public let plan: BenchmarkPlan
    public let backend: any BenchmarkBackend
    public let conditions: any BenchmarkConditions
    public let clock: any BenchmarkClock
    /// Asked between predictions; true ends the run, and what is missing is reported as such.
    public let isCancelled: () -> Bool
    /// Told of each phase as it begins.
    public let report: (BenchmarkPhase) -> Void

    public init(
        plan: BenchmarkPlan, backend: any BenchmarkBackend, conditions: any BenchmarkConditions,
        clock: any BenchmarkClock = SystemClock(), isCancelled: @escaping () -> Bool = { false },
        report: @escaping (BenchmarkPhase) -> Void = { _ in }
    ) {
        self.plan = plan
        self.backend = backend
        self.conditions = conditions
        self.clock = clock
        self.isCancelled = isCancelled
        self.report = report
    }

    /// One result for each of `units`, whatever happens.
    public func run(_ subject: BenchmarkSubject, units: [Units]) -> [BenchResult] {
        let standing = ValidityFlag.standing(conditions)
        var cases = units.map { CaseMeasurement(units: $0, flags: standing) }
        var patience = plan.thermalWaitSeconds * 1_000_000_000
        for index in cases.indices { step(&cases[index], &patience, firstUse) }
        for round in 1...max(1, plan.rounds) {
            for index in cases.indices { step(&cases[index], &patience) { try burst(&$0, round: round) } }
        }
        for index in cases.indices where cases[index].failure == nil { cases[index].judgeBurst() }
        if plan.pacedSeconds > 0 {
            for index in cases.indices { step(&cases[index], &patience, paced) }
        }
        let results = cases.map { $0.result(for: benchCase(subject, $0.units), placement: placement(of: $0)) }
        report(.finished)
        return results
    }

    /// Runs one part of one case; what it throws becomes the case's failure, and a failed case is left alone.
    private func step(
        _ measurement: inout CaseMeasurement, _ patience: inout Int, _ part: (inout CaseMeasurement) throws -> Void
    ) {
        guard measurement.failure == nil else { return }
        do {
            try waitUntilCool(&measurement, &patience)
            try drained { try part(&measurement) }
            try checkpoint(&measurement)
        } catch let stop as Stop {
            measurement.failure = stop.description
        } catch {
            measurement.failure = "\(error)"
        }
    }

    /// Compiles, loads for the first time and predicts once.
    private func firstUse(_ measurement: inout CaseMeasurement) throws {
        report(.loading(measurement.units))
        measurement.baselineMemory = conditions.memoryBytes.map { [$0] } ?? []
        measurement.sawMemory(measurement.baselineMemory.first)
        try backend.prepare()
        measurement.compile.append(try timed { try backend.compile() })
        try backend.store()
        let session = try load(measurement.units, &measurement.firstLoad)
        try drained {
            try session.preprocess()
            measurement.firstPredict.append(try timed { try session.predict() })
            try session.postprocess()
        }
        measurement.sawMemory(conditions.memoryBytes)
    }

    private func load(_ units: Units, _ times: inout [Int]) throws -> any BenchmarkSession {
        let start = clock.now
        let session = try drained { try backend.load(units: units) }
        times.append(max(1, clock.now - start))
        return session
    }

    /// A session that was loaded from the cache and is warm.
    private func warmSession(_ measurement: inout CaseMeasurement) throws -> any BenchmarkSession {
        report(.loading(measurement.units))
        let session = try load(measurement.units, &measurement.cachedLoad)
        report(.warmingUp(measurement.units))
        for _ in 0..<plan.warmup {
            try checkpoint(&measurement)
            _ = try frame(session)
        }
        return session
    }

    private func burst(_ measurement: inout CaseMeasurement, round: Int) throws {
        let session = try warmSession(&measurement)
        report(.burst(measurement.units, round: round, of: plan.rounds))
        for _ in 0..<plan.repeats {
            try checkpoint(&measurement)
            measurement.add(try frame(session))
        }
        measurement.sawMemory(conditions.memoryBytes)
    }

    private func paced(_ measurement: inout CaseMeasurement) throws {
        let session = try warmSession(&measurement)
        let interval = 1_000_000_000 / plan.pacedRate
        let start = clock.now
        for index in 0..<(plan.pacedRate * plan.pacedSeconds) {
            if index.isMultiple(of: plan.pacedRate) {
                report(.paced(measurement.units, second: index / plan.pacedRate + 1, of: plan.pacedSeconds))
            }
            clock.sleep(until: start + index * interval)
            try checkpoint(&measurement)
            let times = try frame(session)
            measurement.paced.append(times.predict)
            if times.total > interval { measurement.isLate = true }
        }
        measurement.sawMemory(conditions.memoryBytes)
        measurement.judgePacing(rate: plan.pacedRate)
    }

    /// Waits as long as the run's patience lasts, in nanoseconds; what was waited is taken from it.
    private func waitUntilCool(_ measurement: inout CaseMeasurement, _ patience: inout Int) throws {
        let end = clock.now + patience
        defer { patience = max(0, end - clock.now) }
        while conditions.thermalState > .nominal, clock.now < end {
            if isCancelled() { throw Stop.canceled }
            report(.cooling(secondsLeft: (end - clock.now) / 1_000_000_000))
            clock.sleep(until: clock.now + 1_000_000_000)
        }
        try checkpoint(&measurement)
    }

    private func checkpoint(_ measurement: inout CaseMeasurement) throws {
        if isCancelled() { throw Stop.canceled }
        switch conditions.thermalState {
        case .nominal:
            break
        case .fair:
            measurement.flags.insert(.thermalFair)
        case .serious, .critical:
            measurement.flags.insert(.thermalSerious)
            throw Stop.tooHot
        }
        measurement.flags.formUnion(ValidityFlag.passing(conditions))
    }

    private func frame(_ session: any BenchmarkSession) throws -> StageTimes {
        try drained {
            StageTimes(
                preprocess: try timed { try session.preprocess() }, predict: try timed { try session.predict() },
                postprocess: try timed { try session.postprocess() })
        }
    }

    private func timed(_ work: () throws -> Void) rethrows -> Int {
        let start = clock.now
        try work()
        return max(1, clock.now - start)  // less than a tick of the clock is still no work of no time
    }

    private func placement(of measurement: CaseMeasurement) -> Placement? {
        measurement.failure == nil ? backend.placement(units: measurement.units) : nil
    }

    private func benchCase(_ subject: BenchmarkSubject, _ units: Units) -> BenchCase {
        BenchCase(
            model: subject.model, variant: subject.variant, format: .coreml, artifactSHA256: subject.sha256,
            artifactBytes: subject.bytes, backend: backend.name, requestedUnits: units, warmup: plan.warmup,
            minRepeats: max(1, plan.rounds * plan.repeats), minSeconds: Double(plan.pacedSeconds))
    }

    /// What ends a run early.
    enum Stop: ExplainedError, CaseIterable {
        case canceled
        case tooHot

        var phrase: Phrase {
            switch self {
            case .canceled: "canceled before it was done"
            case .tooHot: "stopped: the device's thermal state was serious"
            }
        }
    }
}
