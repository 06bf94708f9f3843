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

    private func run(_ words: String...) -> (code: ExitCode, output: Recorder) {
        var output = Recorder()
        return (Command.run(words, output: &output), output)
    }

    private func withSelftest(_ body: (String) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: url) }
        #expect(run("selftest", "--output", url.path).code == .done)
        try body(url.path)
    }

    @Test func selftestWritesARunThatSaysWhatItIs() throws {
        try withSelftest { path in
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

    @Test func selftestPrintsWithoutAFile() throws {
        let (code, output) = run("selftest")
        #expect(code == .done)
        #expect(try BenchRun(json: Data(output.lines.joined().utf8), name: "printed").quick)
    }

    @Test func validateTellsWhatItRead() throws {
        try withSelftest { path in
            let (code, output) = run("validate", path)
            #expect(code == .done)
            #expect(output.lines.first?.contains("2 results (2 ok)") == true)
            #expect(output.lines.contains("flag: simulated_backend"))
        }
    }

    @Test func validateRefusesWhatItCannotRead() {
        let (code, output) = run("validate", "/nowhere/run.json")
        #expect(code == .failed)
        #expect(output.errors == ["no such file: /nowhere/run.json"])
        #expect(run("validate").code == .usage)
        #expect(run("validate", "a", "b").code == .usage)
    }

    @Test func compareShowsRatios() throws {
        try withSelftest { path in
            let (code, output) = run("compare", path, path)
            #expect(code == .done)
            #expect(output.lines.count == 3)
            #expect(output.lines.last?.hasSuffix("\t1.000") == true)
        }
    }

    @Test func compareRefusesOtherMachines() throws {
        try withSelftest { path in
            let other = path + ".other"
            defer { try? FileManager.default.removeItem(atPath: other) }
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try text.replacingOccurrences(of: "\"runtime\" : \"swift", with: "\"runtime\" : \"other swift")
                .write(toFile: other, atomically: true, encoding: .utf8)
            let (code, output) = run("compare", path, other)
            #expect(code == .failed)
            #expect(output.errors.first?.hasPrefix("the runs were not taken alike: runtime differs") == true)
            #expect(run("compare", path, other, "--force").code == .done)
        }
    }

    #if !canImport(CoreML)
    @Test func runSaysWhyItCannot() {
        let (code, output) = run("run", "somewhere")
        #expect(code == .unavailable)
        #expect(output.errors.first?.hasPrefix("not run: ") == true)
        #expect(run("run").code == .usage)
    }
    #endif

    @Test(arguments: [[], ["unknown"], ["selftest", "--nothing"], ["selftest", "--output"], ["selftest", "x"]])
    func whatMakesNoSenseIsUsage(words: [String]) {
        var output = Recorder()
        #expect(Command.run(words, output: &output) == .usage)
        #expect(output.errors.count == 1)
    }

    @Test func helpNamesEveryVerb() {
        let (code, output) = run("--help")
        #expect(code == .done)
        for verb in ["run", "validate", "compare", "selftest"] {
            #expect(output.lines[0].contains("tinyml-bench \(verb)"))
        }
    }
}
