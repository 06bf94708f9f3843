import Foundation
import TinyMLCore

/// The verbs, their arguments and their errors.
enum Command {
    static let help = """
        tinyml-bench: measures exported Core ML models, and checks and compares result files

          tinyml-bench run FOLDER [--units UNITS] [--quick] [--output FILE]
              measures the model whose manifest.json lies in FOLDER (macOS only);
              UNITS: cpu_only, cpu_and_gpu, cpu_and_ne, all, or several with commas between them (default: all four)
          tinyml-bench validate FILE
              says whether FILE is a result file that this version reads
          tinyml-bench compare FILE FILE [--force]
              compares the middle latencies of two runs; refuses different environments unless forced
          tinyml-bench selftest [--output FILE]
              drives the benchmark with a simulated backend and writes a result file that says so
          tinyml-bench speed [--repeats N]
              times this package's own work in this build: preparing a camera's frame, hashing 1 MiB

        Exit codes: 0 done, 1 refused or failed, 2 usage, 69 cannot run here.
        """

    /// Runs one verb.
    static func run(_ words: [String], output: inout some CommandOutput) async -> ExitCode {
        do {
            guard let verb = words.first else { throw UsageError(description: "which verb? see: tinyml-bench --help") }
            let rest = Array(words.dropFirst())
            switch verb {
            case "run": return try await RunCommand.run(rest, output: &output)
            case "validate": try validate(rest, output: &output)
            case "compare": try CompareCommand.run(rest, output: &output)
            case "selftest": try selftest(rest, output: &output)
            case "speed": try SpeedCommand.run(rest, output: &output)
            case "-h", "--help", "help": output.line(help)
            default: throw UsageError(description: "unknown verb \(verb); see: tinyml-bench --help")
            }
            return .done
        } catch let error as UsageError {
            output.error(error.description)
            return .usage
        } catch let error as CocoaError {
            output.error(error.sentence)
            return .failed
        } catch {
            output.error("\(error)")
            return .failed
        }
    }

    private static func validate(_ words: [String], output: inout some CommandOutput) throws {
        let arguments = try Arguments(words)
        let run = try BenchRun(contentsOf: try arguments.onlyFile())
        let counts = Dictionary(grouping: run.results, by: \.status.rawValue).mapValues(\.count)
        let told = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        output.line("\(run.id): \(run.results.count) results (\(told)) on \(run.environment.machine), valid")
        for flag in Set(run.results.flatMap(\.flags)).sorted() { output.line("flag: \(flag)") }
    }

    private static func selftest(_ words: [String], output: inout some CommandOutput) throws {
        let arguments = try Arguments(words, options: ["--output"])
        guard arguments.files.isEmpty else { throw UsageError(description: "selftest takes no file") }
        let run = BenchRun(
            results: SimulatedBenchmark.results(plan: .quick), plan: .quick,
            environment: SystemFacts.environment(thermalState: nil, lowPowerMode: nil),
            command: (["tinyml-bench", "selftest"] + words).joined(separator: " "))
        let json = try run.json()
        guard try BenchRun(json: json, name: "the written run") == run else {
            throw Failure(description: "the run does not come back as it was written")
        }
        try write(json, to: arguments.options["--output"], output: &output)
    }

    /// Writes JSON to a file, or prints it where there is none.
    static func write(_ json: Data, to path: String?, output: inout some CommandOutput) throws {
        guard let path else {
            output.line(String(decoding: json, as: UTF8.self).trimmingCharacters(in: .newlines))
            return
        }
        try json.write(to: URL(fileURLWithPath: path), options: .atomic)
        output.line("wrote \(path)")
    }
}

/// Words that no verb understands; exit code 2.
struct UsageError: Error, CustomStringConvertible {
    let description: String
}

/// A command that could not do its work; exit code 1.
struct Failure: Error, CustomStringConvertible {
    let description: String
}

extension CocoaError {
    /// One line for the user.
    var sentence: String {
        let name = (userInfo[NSFilePathErrorKey] as? String) ?? (userInfo[NSURLErrorKey] as? URL)?.path ?? "a file"
        return switch code {
        case .fileReadNoSuchFile, .fileNoSuchFile: "no such file: \(name)"
        case .fileReadNoPermission, .fileWriteNoPermission: "no permission: \(name)"
        default: "\(name): \(localizedDescription)"
        }
    }
}
