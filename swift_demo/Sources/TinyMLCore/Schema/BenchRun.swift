import Foundation

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
        if let files = Self.filesOfOneChecksum(in: results) { throw fields.failure(files) }
        if provenance.createdAt > Date(timeIntervalSinceNow: Self.clocksDiffer).formatted(.iso8601) {
            throw fields.failure(Phrase("made at %@, in the future by this device's clock", provenance.createdAt))
        }
    }

    /// How far ahead the clock of the machine that measured may be, in seconds.
    private static let clocksDiffer = 86_400.0

    private static func filesOfOneChecksum(in results: [BenchResult]) -> Phrase? {
        var files: [String: BenchCase] = [:]
        for one in results.map(\.case) {
            let other = files[one.artifactSHA256, default: one]
            files[one.artifactSHA256] = other
            if other.artifactBytes != one.artifactBytes || other.format != one.format {
                return Phrase(
                    "%@ and %@ have the same checksum, and not the same format and bytes",
                    "\(other.model) \(other.variant)", "\(one.model) \(one.variant)")
            }
        }
        return nil
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
