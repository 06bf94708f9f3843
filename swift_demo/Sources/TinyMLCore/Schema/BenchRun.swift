/// One result file: an environment and every case asked for in it.
public struct BenchRun: RecordFile {
    public static let kind = "bench_run"

    public let id: String
    /// A first look: fewer repeats than a measurement to rely on.
    public let quick: Bool
    public let environment: MachineEnvironment
    public let provenance: Provenance
    public let results: [BenchResult]

    public init(
        id: String, quick: Bool, environment: MachineEnvironment, provenance: Provenance, results: [BenchResult]
    ) {
        self.id = id
        self.quick = quick
        self.environment = environment
        self.provenance = provenance
        self.results = results
    }

    enum CodingKeys: String, FieldKey {
        case schemaVersion = "schema_version"
        case kind, id, quick, environment, provenance, results
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        id = try fields(.id, .identifier)
        quick = try fields(.quick)
        environment = try fields(.environment)
        provenance = try fields(.provenance)
        results = try fields(.results)
        if let twice = Self.repeatedCase(in: results) { throw fields.failure(twice) }
    }

    private static func repeatedCase(in results: [BenchResult]) -> Phrase? {
        var seen: Set<[String]> = []
        let twice = results.map(\.case).first { one in
            let key = [
                one.model, one.variant, one.artifactSHA256, one.backend, one.requestedUnits.rawValue,
                "\(one.batch)", "\(one.streams)", "\(one.threads ?? 0)",
            ]
            return !seen.insert(key).inserted
        }
        return twice.map {
            Phrase(
                "%@ on %@ was measured more than once", "\($0.model) \($0.variant)",
                "\($0.backend) \($0.requestedUnits.rawValue)")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(SchemaVersion.current.description, forKey: .schemaVersion)
        try container.encode(Self.kind, forKey: .kind)
        try container.encode(id, forKey: .id)
        try container.encode(quick, forKey: .quick)
        try container.encode(environment, forKey: .environment)
        try container.encode(provenance, forKey: .provenance)
        try container.encode(results, forKey: .results)
    }
}
