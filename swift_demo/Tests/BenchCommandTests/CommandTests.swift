import Foundation
import Testing
import TinyMLCore

@testable import tinyml_bench

struct CommandTests {
    private struct Recorder: CommandOutput {
        var lines: [String] = []
        var errors: [String] = []

        mutating func line(_ text: String) { lines.append(text) }
        mutating func error(_ text: String) { errors.append(text) }
    }

    private func run(_ words: String...) async -> (code: ExitCode, output: Recorder) {
        var output = Recorder()
        return (await Command.run(words, output: &output), output)
    }

    private func withSelftest(_ body: (String) async throws -> Void) async throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: url) }
        #expect(await run("selftest", "--output", url.path).code == .done)
        try await body(url.path)
    }

    @Test func selftestWritesARunThatSaysWhatItIs() async throws {
        try await withSelftest { path in
            let run = try BenchRun(contentsOf: URL(fileURLWithPath: path))
            #expect(run.results.count == 2)
            for result in run.results {
                #expect(result.case.backend == "selftest")
                #expect(result.flags.contains("simulated_backend"))
                #expect(result.placement == nil)
                #expect(!result.series.isEmpty)
                #expect(!result.series.contains { !$0.name.hasPrefix("simulated_") })
            }
        }
    }

    @Test func selftestPrintsWithoutAFile() async throws {
        let (code, output) = await run("selftest")
        #expect(code == .done)
        #expect(try BenchRun(json: Data(output.lines.joined().utf8), name: "printed").quick)
    }

    @Test func validateTellsWhatItRead() async throws {
        try await withSelftest { path in
            let (code, output) = await run("validate", path)
            #expect(code == .done)
            #expect(output.lines.first?.contains("2 results (2 ok)") == true)
            #expect(output.lines.contains("flag: simulated_backend"))
        }
    }

    @Test func validateRefusesWhatItCannotRead() async {
        let (code, output) = await run("validate", "/nowhere/run.json")
        #expect(code == .failed)
        #expect(output.errors == ["no such file: /nowhere/run.json"])
        #expect(await run("validate").code == .usage)
        #expect(await run("validate", "a", "b").code == .usage)
    }

    @Test func compareShowsRatios() async throws {
        try await withSelftest { path in
            let (code, output) = await run("compare", path, path)
            #expect(code == .done)
            #expect(output.lines.count == 3)
            // Nothing was measured there, so a ratio of 1 is no verdict.
            #expect(output.lines.last?.contains("\t1.000\tno verdict: ") == true)
            #expect(output.lines.last?.hasSuffix("simulated_backend") == true)
        }
    }

    @Test func compareRefusesOtherMachines() async throws {
        try await withSelftest { path in
            let other = path + ".other"
            defer { try? FileManager.default.removeItem(atPath: other) }
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try text.replacingOccurrences(of: "\"runtime\" : \"swift", with: "\"runtime\" : \"other swift")
                .write(toFile: other, atomically: true, encoding: .utf8)
            let (code, output) = await run("compare", path, other)
            #expect(code == .failed)
            #expect(output.errors.first?.hasPrefix("the runs were not taken alike: runtime differs") == true)
            #expect(await run("compare", path, other, "--force").code == .done)
        }
    }

    #if !canImport(CoreML)
    @Test func runSaysWhyItCannot() async {
        let (code, output) = await run("run", "somewhere")
        #expect(code == .unavailable)
        #expect(output.errors.first?.hasPrefix("not run: ") == true)
        #expect(await run("run").code == .usage)
    }
    #endif

    @Test(arguments: [
        [], ["unknown"], ["selftest", "--nothing"], ["selftest", "--output"], ["selftest", "x"], ["speed", "x"],
        ["speed", "--repeats", "0"],
    ])
    func whatMakesNoSenseIsUsage(words: [String]) async {
        var output = Recorder()
        let code = await Command.run(words, output: &output)
        #expect(code == .usage)
        #expect(output.errors.count == 1)
    }

    @Test func speedNamesTheBuildAndTimesEachPart() async throws {
        let (code, output) = await run("speed", "--repeats", "1")
        #expect(code == .done)
        let rows = output.lines.map { $0.split(separator: "\t").map(String.init) }
        #expect(rows.map(\.first) == ["build", "prepare_frame_ns", "tell_frame_of_200_classes_ns", "hash_1_mib_ns"])
        for row in rows.dropFirst() { #expect(try #require(Int(row[1])) > 0) }
    }

    @Test func helpNamesEveryVerb() async {
        let (code, output) = await run("--help")
        #expect(code == .done)
        for verb in ["run", "validate", "compare", "selftest", "speed"] {
            #expect(output.lines[0].contains("tinyml-bench \(verb)"))
        }
    }
}
