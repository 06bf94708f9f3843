import Foundation
import Testing

@testable import TinyMLCore

/// Oracle: the Python tool's statistics, in a fixture that both read. Its own tolerance holds.
struct StatisticsTests {
    struct File: Decodable {
        struct Definitions: Decodable { let relativeTolerance: Double }

        struct Case: Decodable {
            let name: String
            let samples: [Int]
            let expected: Expected
            let flags: [String]
        }

        struct Expected: Decodable {
            let count: Int
            let min, max, mean, p50, p90, p95, p99: Double
            let std: Double?
        }

        let definitions: Definitions
        let cases: [Case]
    }

    private func file() throws -> File {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            File.self, from: Data(contentsOf: Fixtures.results.appendingPathComponent("statistics.json")))
    }

    @Test func figuresEqualPythons() throws {
        let file = try file()
        #expect(!file.cases.isEmpty)
        for fixture in file.cases {
            let (found, expected) = (try #require(SampleStatistics(fixture.samples)), fixture.expected)
            #expect(found.count == expected.count)
            #expect((found.standardDeviation == nil) == (expected.std == nil), "\(fixture.name)")
            let figures: [(Double, Double)] = [
                (found.minimum, expected.min), (found.maximum, expected.max), (found.mean, expected.mean),
                (found.median, expected.p50), (found.percentile(90), expected.p90),
                (found.percentile(95), expected.p95), (found.percentile(99), expected.p99),
                (found.standardDeviation ?? 0, expected.std ?? 0),
            ]
            for (one, other) in figures {
                let allowed = file.definitions.relativeTolerance * max(abs(other), .leastNonzeroMagnitude)
                #expect(abs(one - other) <= allowed, "\(fixture.name): \(one) and \(other)")
            }
        }
    }

    @Test func flagsEqualPythons() throws {
        for fixture in try file().cases {
            var measurement = CaseMeasurement(units: .all, flags: [])
            for sample in fixture.samples {
                measurement.add(StageTimes(preprocess: 0, predict: sample, postprocess: 0))
            }
            measurement.judgeBurst()
            #expect(measurement.flags.map(\.rawValue).sorted() == fixture.flags.sorted(), "\(fixture.name)")
        }
    }

    @Test func nothingCanBeSaidOfNothing() {
        #expect(SampleStatistics([Int]()) == nil)
    }
}
