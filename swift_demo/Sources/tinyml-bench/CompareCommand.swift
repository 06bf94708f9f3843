import Foundation
import TinyMLCore

/// `compare`: two runs side by side.
enum CompareCommand {
    static func run(_ words: [String], output: inout some CommandOutput) throws {
        let arguments = try Arguments(words, switches: ["--force"])
        guard arguments.files.count == 2 else {
            throw UsageError(description: "exactly two files are needed, not \(arguments.files.count)")
        }
        let runs = try arguments.files.map { try BenchRun(contentsOf: URL(fileURLWithPath: $0)) }
        let comparison = RunComparison(runs[0], runs[1])
        if !comparison.differences.isEmpty, !arguments.switches.contains("--force") {
            let told = comparison.differences.map(\.english).joined(separator: "; ")
            throw Failure(description: "the runs were not taken alike: \(told); compare them all the same with --force")
        }
        if comparison.rows.isEmpty { throw Failure(description: "no case has a latency in both runs") }
        output.line("case\tfirst, ms\tsecond, ms\tratio\tdoubtful")
        for row in comparison.rows {
            let figures = [row.first, row.second, row.ratio].map(rounded).joined(separator: "\t")
            let doubts = row.doubts.isEmpty ? "-" : "no verdict: \(row.doubts.joined(separator: ", "))"
            output.line("\(row.name)\t\(figures)\t\(doubts)")
        }
    }

    private static func rounded(_ value: Double) -> String {
        String(format: "%.3f", value)
    }
}
