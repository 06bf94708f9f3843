/// Two runs side by side: the middle latency of every case that both measured.
public struct RunComparison: Sendable {
    public struct Row: Hashable, Sendable {
        public let name: String
        /// Median latencies in milliseconds.
        public let first: Double
        public let second: Double
        /// What makes either measurement doubtful; where there is anything, the ratio is no verdict.
        public let doubts: [String]

        public var ratio: Double { second / first }
    }

    /// Where the environments differ, as sentences; empty: the runs can be compared.
    public let differences: [Phrase]
    public let rows: [Row]

    public init(_ first: BenchRun, _ second: BenchRun) {
        let (one, two) = (first.environment, second.environment)
        let facts: [(Phrase, String, String)] = [
            ("machine", one.machine, two.machine),
            ("system", "\(one.os.rawValue) \(one.osVersion)", "\(two.os.rawValue) \(two.osVersion)"),
            ("runtime", one.runtime, two.runtime),
        ]
        differences = facts.filter { $0.1 != $0.2 }.map {
            Phrase("%@ differs: %@ and %@", phrases: [$0.0, .verbatim($0.1), .verbatim($0.2)])
        }
        let others = Dictionary(
            second.results.map { (Self.name($0.case), $0) }, uniquingKeysWith: { first, _ in first })
        rows = first.results.compactMap { result in
            let name = Self.name(result.case)
            guard let other = others[name], let before = Self.median(result), let after = Self.median(other) else {
                return nil
            }
            let doubts = Set(result.flags + other.flags).sorted()
            return Row(name: name, first: before, second: after, doubts: doubts)
        }
    }

    private static func name(_ benchCase: BenchCase) -> String {
        "\(benchCase.model) \(benchCase.variant) \(benchCase.backend) \(benchCase.requestedUnits.rawValue)"
    }

    private static func median(_ result: BenchResult) -> Double? {
        let series = result.series.first { $0.name.hasSuffix(SeriesName.latency) && !$0.name.hasPrefix("paced") }
        return series.flatMap { SampleStatistics($0.samples) }.map { $0.median / 1e6 }
    }
}
