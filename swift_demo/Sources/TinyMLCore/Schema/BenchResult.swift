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

/// What Core ML's compute plan says of each op's preferred device; absent where nobody looked.
public struct Placement: Codable, Hashable, Sendable {
    public let cpu: Int
    public let gpu: Int
    public let neuralEngine: Int
    public let unknown: Int

    public init(cpu: Int, gpu: Int, neuralEngine: Int, unknown: Int = 0) {
        self.cpu = cpu
        self.gpu = gpu
        self.neuralEngine = neuralEngine
        self.unknown = unknown
    }

    enum CodingKeys: String, FieldKey {
        case cpu, gpu
        case neuralEngine = "neural_engine"
        case unknown
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        cpu = try fields(.cpu, .count)
        gpu = try fields(.gpu, .count)
        neuralEngine = try fields(.neuralEngine, .count)
        unknown = try fields(.unknown, or: 0, .count)
        if [cpu, gpu, neuralEngine, unknown].allSatisfy({ $0 == 0 }) {
            throw fields.failure("a placement is of at least one op")
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
    public let accuracy: Metrics?
    public let placement: Placement?
    /// What makes the measurement doubtful ("debug_build", "thermal_fair").
    public let flags: [String]

    init(measured case: BenchCase, series: [Series], placement: Placement?, flags: [String]) {
        self.case = `case`
        status = .ok
        reason = nil
        self.series = series
        accuracy = nil
        self.placement = placement
        self.flags = flags
    }

    init(failed case: BenchCase, reason: String, series: [Series] = [], flags: [String] = []) {
        self.case = `case`
        status = .failed
        self.reason = reason
        self.series = series
        accuracy = nil
        placement = nil
        self.flags = flags
    }

    init(notRun case: BenchCase, reason: String) {
        self.case = `case`
        status = .notRun
        self.reason = reason
        series = []
        accuracy = nil
        placement = nil
        flags = []
    }

    enum CodingKeys: String, FieldKey {
        case `case`, status, reason, series, accuracy, placement, flags
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        `case` = try fields(.case)
        status = try fields(.status)
        reason = try fields.optional(.reason)
        series = try fields(.series, or: [])
        accuracy = try fields.optional(.accuracy)
        placement = try fields.optional(.placement)
        flags = try fields(.flags, or: [])
        if (reason == nil) != (status == .ok) {
            throw fields.failure("a result has a reason exactly when its status is not 'ok'")
        }
        if [.unsupported, .notRun].contains(status), !series.isEmpty || accuracy != nil || placement != nil {
            throw fields.failure("a result that is '\(status.rawValue)' has no series, no accuracy and no placement")
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
        if status == .ok, latencies > 0, latencies < `case`.minRepeats {
            throw fields.failure("fewer latencies than the case asks for, \(`case`.minRepeats)")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(`case`, forKey: .case)
        try container.encode(status, forKey: .status)
        try container.encode(reason, forKey: .reason)
        try container.encode(series, forKey: .series)
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
