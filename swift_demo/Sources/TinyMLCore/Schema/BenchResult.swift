/// Raw samples in the order they were taken; the unit stands at the end of the name.
public struct Series: Codable, Hashable, Sendable {
    public let name: String
    public let samples: [Int]

    /// A series of a name that ends in `_ns` or `_bytes`; nil without samples, since an empty one says nothing.
    init?(_ name: String, _ samples: [Int]) {
        guard !samples.isEmpty else { return nil }
        self.name = name
        self.samples = samples
    }

    enum CodingKeys: String, FieldKey {
        case name, samples
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        name = try fields(.name, .seriesName)
        samples = try fields.list(.samples, each: .positive)
        if samples.isEmpty { throw fields.failure("a series has at least one sample") }
    }
}

/// One op of a compute plan.
public struct PlacedOp: Codable, Hashable, Sendable {
    public enum Device: String, Codable, Sendable {
        case cpu, gpu
        case neuralEngine = "neural_engine"
        case unknown
    }

    /// Its name, with its opset where it has one ("ios16.conv").
    public let `operator`: String
    /// Where the plan prefers to run it.
    public let device: Device
    /// Its estimated share of the whole model's cost; nil: the plan does not say.
    public let cost: Double?

    enum CodingKeys: String, FieldKey {
        case `operator`, device, cost
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        `operator` = try fields(.operator)
        device = try fields(.device)
        cost = try fields.optional(.cost, .fraction)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(`operator`, forKey: .operator)
        try container.encode(device, forKey: .device)
        try container.encode(cost, forKey: .cost)
    }
}

/// What Core ML's compute plan says of each op's preferred device; absent where nobody looked.
///
/// Constants, compressed ones (`constexpr_*`) too, are no ops here: nothing runs them.
public struct Placement: Codable, Hashable, Sendable {
    public let cpu: Int
    public let gpu: Int
    public let neuralEngine: Int
    public let unknown: Int
    /// Each of them, in the program's order; empty: counted only.
    public let ops: [PlacedOp]

    public init(cpu: Int, gpu: Int, neuralEngine: Int, unknown: Int = 0) {
        self.cpu = cpu
        self.gpu = gpu
        self.neuralEngine = neuralEngine
        self.unknown = unknown
        ops = []
    }

    enum CodingKeys: String, FieldKey {
        case cpu, gpu
        case neuralEngine = "neural_engine"
        case unknown, ops
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        cpu = try fields(.cpu, .count)
        gpu = try fields(.gpu, .count)
        neuralEngine = try fields(.neuralEngine, .count)
        unknown = try fields(.unknown, or: 0, .count)
        ops = try fields(.ops, or: [])
        if [cpu, gpu, neuralEngine, unknown].allSatisfy({ $0 == 0 }) {
            throw fields.failure("a placement is of at least one op")
        }
        let devices: [PlacedOp.Device] = [.cpu, .gpu, .neuralEngine, .unknown]
        let told = devices.map { device in ops.filter { $0.device == device }.count }
        if !ops.isEmpty && told != [cpu, gpu, neuralEngine, unknown] {
            throw fields.failure("a placement's counts are not those of its ops")
        }
    }
}

/// What became of one case.
public struct BenchResult: Codable, Hashable, Sendable {
    public enum Status: String, Codable, Sendable {
        case ok, unsupported, failed
        case notRun = "not_run"
    }

    public let `case`: BenchCase
    public let status: Status
    /// Why it is not `ok`; nil exactly when it is.
    public let reason: String?
    public let series: [Series]
    /// Empty: one process without such a record.
    public let rounds: [Round]
    public let accuracy: Metrics?
    public let placement: Placement?
    /// What makes the measurement doubtful ("debug_build", "thermal_fair").
    public let flags: [String]

    init(measured case: BenchCase, series: [Series], placement: Placement?, flags: [String]) {
        self.case = `case`
        status = .ok
        reason = nil
        self.series = series
        rounds = []
        accuracy = nil
        self.placement = placement
        self.flags = flags
    }

    init(failed case: BenchCase, reason: String, series: [Series] = [], flags: [String] = []) {
        self.case = `case`
        status = .failed
        self.reason = reason
        self.series = series
        rounds = []
        accuracy = nil
        placement = nil
        self.flags = flags
    }

    init(notRun case: BenchCase, reason: String) {
        self.case = `case`
        status = .notRun
        self.reason = reason
        series = []
        rounds = []
        accuracy = nil
        placement = nil
        flags = []
    }

    enum CodingKeys: String, FieldKey {
        case `case`, status, reason, series, rounds, accuracy, placement, flags
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        `case` = try fields(.case)
        status = try fields(.status)
        reason = try fields.optional(.reason)
        series = try fields(.series, or: [])
        rounds = try fields(.rounds, or: [])
        accuracy = try fields.optional(.accuracy)
        placement = try fields.optional(.placement)
        flags = try fields(.flags, or: [])
        if (reason == nil) != (status == .ok) {
            throw fields.failure("a result has a reason exactly when its status is not 'ok'")
        }
        if [.unsupported, .notRun].contains(status), !series.isEmpty || accuracy != nil || placement != nil {
            throw fields.failure(
                Phrase("a result that is '%@' has no series, no accuracy and no placement", status.rawValue))
        }
        if status == .ok, series.isEmpty, accuracy == nil {
            throw fields.failure("a result that is 'ok' has series or an accuracy")
        }
        try checkSamples(fields)
    }

    private func checkSamples(_ fields: Fields<CodingKeys>) throws {
        if Set(series.map(\.name)).count < series.count { throw fields.failure("two series have the same name") }
        let samples = { name in series.first { $0.name == name }?.samples ?? [] }
        if let peak = samples(SeriesName.peakMemory).max(), let baseline = samples(SeriesName.baselineMemory).min(),
            peak < baseline
        {
            throw fields.failure("the peak of the memory is below what it was before the model was loaded")
        }
        let latencies = samples(SeriesName.latency).count
        let excused = flags.contains { ["cut_short", "interrupted"].contains($0) }
        if status == .ok, latencies > 0, latencies < `case`.minRepeats, !excused {
            throw fields.failure(Phrase("fewer latencies than the case asks for, %@", "\(`case`.minRepeats)"))
        }
        let measured = series.filter { $0.name == SeriesName.latency }.reduce(0) { $0 + $1.samples.count }
        if !rounds.isEmpty,
            rounds.map(\.samples).contains(where: { $0 > measured })
                || rounds.reduce(0, { $0 + $1.samples }) != measured
        {
            throw fields.failure("the rounds' samples are not as many as those of 'latency_ns'")
        }
        try checkRounds(fields, samples(SeriesName.latency)[...])
    }

    private func checkRounds(_ fields: Fields<CodingKeys>, _ latencies: ArraySlice<Int>) throws {
        var left = latencies
        for share in rounds {
            let together = left.prefix(share.samples).reduce(0) { $0 + Double($1) }
            left = left.dropFirst(share.samples)
            if Double(share.elapsedNanoseconds) * Double(`case`.streams) < together {
                throw fields.failure("a round took less time than its latencies together")
            }
        }
        let (asked, found) = (`case`.rounds, max(1, rounds.count))
        let isCut = status != .ok || flags.contains("interrupted")
        if !latencies.isEmpty, found > asked || (found < asked && !isCut) {
            throw fields.failure(Phrase("%@ rounds of the %@ that the case asks for", "\(found)", "\(asked)"))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(`case`, forKey: .case)
        try container.encode(status, forKey: .status)
        try container.encode(reason, forKey: .reason)
        try container.encode(series, forKey: .series)
        try container.encode(rounds, forKey: .rounds)
        try container.encode(accuracy, forKey: .accuracy)
        try container.encode(placement, forKey: .placement)
        try container.encode(flags, forKey: .flags)
    }
}

extension BenchResult {
    /// The statistics of a series; nil where there is none of that name.
    public func statistics(of name: String) -> SampleStatistics? {
        series.first { $0.name == name }.flatMap { SampleStatistics($0.samples) }
    }

    /// Whether a flag says that the numbers tell nothing of the device.
    public var isInvalid: Bool { flags.compactMap(ValidityFlag.init).contains(where: \.invalidates) }
}
