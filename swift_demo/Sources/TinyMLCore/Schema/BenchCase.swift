/// The compute units that a model may use: a permission, never a placement.
public enum Units: String, Codable, Sendable, CaseIterable {
    case cpuOnly = "cpu_only"
    case cpuAndGPU = "cpu_and_gpu"
    case cpuAndNeuralEngine = "cpu_and_ne"
    case all
    case cpu, mps, cuda, coreml

    /// The permissions that Core ML knows.
    public static let coreMLUnits: [Units] = [.cpuOnly, .cpuAndGPU, .cpuAndNeuralEngine, .all]
}

/// One thing to measure: an artifact on a backend with the compute units that it may use.
public struct BenchCase: Codable, Hashable, Sendable {
    public enum Format: String, Codable, Sendable { case torch, coreml, onnx, coreai }

    /// The architecture.
    public let model: String
    public let variant: String
    public let format: Format
    public let artifactSHA256: String
    public let artifactBytes: Int
    public let backend: String
    public let requestedUnits: Units
    public let batch: Int
    /// CPU threads that the backend was given; nil: its own choice.
    public let threads: Int?
    /// At least so many unmeasured predictions in each process.
    public let warmup: Int
    /// At least so many measured ones, all rounds together.
    public let minRepeats: Int
    /// And for at least so long, all rounds together.
    public let minSeconds: Double
    /// Never for longer, however few the predictions are by then; nil: no such limit.
    public let maxSeconds: Double?
    /// Fresh processes, each with its share of the predictions.
    public let rounds: Int
    /// Callers at the same time: 1 measures latency, more measure throughput.
    public let streams: Int

    init(
        model: String, variant: String, format: Format, artifactSHA256: String, artifactBytes: Int, backend: String,
        requestedUnits: Units, warmup: Int, minRepeats: Int, minSeconds: Double
    ) {
        self.model = model
        self.variant = variant
        self.format = format
        self.artifactSHA256 = artifactSHA256
        self.artifactBytes = artifactBytes
        self.backend = backend
        self.requestedUnits = requestedUnits
        batch = 1
        threads = nil
        self.warmup = warmup
        self.minRepeats = minRepeats
        self.minSeconds = minSeconds
        maxSeconds = nil
        rounds = 1
        streams = 1
    }

    enum CodingKeys: String, FieldKey {
        case model, variant, format
        case artifactSHA256 = "artifact_sha256"
        case artifactBytes = "artifact_bytes"
        case backend
        case requestedUnits = "requested_units"
        case batch, threads, warmup
        case minRepeats = "min_repeats"
        case minSeconds = "min_seconds"
        case maxSeconds = "max_seconds"
        case rounds, streams
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        model = try fields(.model, .name)
        variant = try fields(.variant, .name)
        format = try fields(.format)
        artifactSHA256 = try fields(.artifactSHA256, .sha256)
        artifactBytes = try fields(.artifactBytes, .positive)
        backend = try fields(.backend, .backendName)
        requestedUnits = try fields(.requestedUnits)
        batch = try fields(.batch, or: 1, .positive)
        threads = try fields.optional(.threads, .positive)
        warmup = try fields(.warmup, .count)
        minRepeats = try fields(.minRepeats, .positive)
        minSeconds = try fields(.minSeconds, .notNegative)
        maxSeconds = try fields.optional(.maxSeconds, .aboveZero)
        rounds = try fields(.rounds, or: 1, .positive)
        streams = try fields(.streams, or: 1, .positive)
        if let problem = KnownBackend.problem(backend: backend, format: format, units: requestedUnits) {
            throw fields.failure(problem)
        }
        if let maxSeconds, minSeconds > maxSeconds {
            throw fields.failure(
                Phrase("at least %@ seconds were asked for, and at most %@", "\(minSeconds)", "\(maxSeconds)"))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(model, forKey: .model)
        try container.encode(variant, forKey: .variant)
        try container.encode(format, forKey: .format)
        try container.encode(artifactSHA256, forKey: .artifactSHA256)
        try container.encode(artifactBytes, forKey: .artifactBytes)
        try container.encode(backend, forKey: .backend)
        try container.encode(requestedUnits, forKey: .requestedUnits)
        try container.encode(batch, forKey: .batch)
        try container.encode(threads, forKey: .threads)
        try container.encode(warmup, forKey: .warmup)
        try container.encode(minRepeats, forKey: .minRepeats)
        try container.encode(minSeconds, forKey: .minSeconds)
        try container.encode(maxSeconds, forKey: .maxSeconds)
        try container.encode(rounds, forKey: .rounds)
        try container.encode(streams, forKey: .streams)
    }
}
