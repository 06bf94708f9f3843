/// One fresh process's share of a case, and what the machine did meanwhile; nil where the system does not tell.
public struct Round: Codable, Hashable, Sendable {
    /// Its share of `latency_ns`: the rounds' samples stand there one after the other.
    public let samples: Int
    /// Unmeasured predictions until it was steady.
    public let warmup: Int
    /// False: it was not steady when the warm-up had to end.
    public let steady: Bool
    /// When its first measured prediction began, since 1970.
    public let beganNanoseconds: Int?
    /// From the first measured prediction's begin to the last one's end.
    public let elapsedNanoseconds: Int
    /// Processor time of all threads of the process in that time.
    public let processorNanoseconds: Int?
    /// How long its threads together were ready to run and had no core.
    public let waitedNanoseconds: Int?
    /// Cores that everything else on the machine kept busy in that time.
    public let otherLoad: Double?
    /// Whether heat or a quota held the processor back.
    public let throttled: Bool?
    /// How long a fixed piece of work took on one core, just before and just after.
    public let knownWorkNanoseconds: [Int]

    enum CodingKeys: String, FieldKey {
        case samples, warmup, steady
        case beganNanoseconds = "began_ns"
        case elapsedNanoseconds = "elapsed_ns"
        case processorNanoseconds = "processor_ns"
        case waitedNanoseconds = "waited_ns"
        case otherLoad = "other_load"
        case throttled
        case knownWorkNanoseconds = "known_work_ns"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        samples = try fields(.samples, .positive)
        warmup = try fields(.warmup, .count)
        steady = try fields(.steady)
        beganNanoseconds = try fields.optional(.beganNanoseconds, .count)
        elapsedNanoseconds = try fields(.elapsedNanoseconds, .positive)
        processorNanoseconds = try fields.optional(.processorNanoseconds, .count)
        waitedNanoseconds = try fields.optional(.waitedNanoseconds, .count)
        otherLoad = try fields.optional(.otherLoad, .notNegative)
        throttled = try fields.optional(.throttled)
        knownWorkNanoseconds = try fields.list(.knownWorkNanoseconds, or: [], each: .count)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(samples, forKey: .samples)
        try container.encode(warmup, forKey: .warmup)
        try container.encode(steady, forKey: .steady)
        try container.encode(beganNanoseconds, forKey: .beganNanoseconds)
        try container.encode(elapsedNanoseconds, forKey: .elapsedNanoseconds)
        try container.encode(processorNanoseconds, forKey: .processorNanoseconds)
        try container.encode(waitedNanoseconds, forKey: .waitedNanoseconds)
        try container.encode(otherLoad, forKey: .otherLoad)
        try container.encode(throttled, forKey: .throttled)
        try container.encode(knownWorkNanoseconds, forKey: .knownWorkNanoseconds)
    }
}
