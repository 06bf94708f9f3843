import Foundation
import TinyMLCore

#if canImport(CoreML)
import TinyMLApple

/// `run`: measures one exported model.
enum RunCommand {
    static func run(_ words: [String], output: inout some CommandOutput) async throws -> ExitCode {
        let arguments = try Arguments(words, options: ["--units", "--output"], switches: ["--quick"])
        let model = try InstalledModel(folder: try arguments.onlyFile())
        try model.verifyChecksums()
        let run = try await BenchmarkJob().run(
            model: model, units: units(arguments.options["--units"]),
            plan: arguments.switches.contains("--quick") ? .quick : .full,
            command: (["tinyml-bench", "run"] + words).joined(separator: " "))
        try Command.write(try run.json(), to: arguments.options["--output"], output: &output)
        return run.results.contains { $0.status != .ok } ? .failed : .done
    }

    private static func units(_ text: String?) throws -> [Units] {
        guard let text else { return Units.coreMLUnits }
        return try text.split(separator: ",").map { name in
            guard let units = Units(rawValue: String(name)), Units.coreMLUnits.contains(units) else {
                let allowed = Units.coreMLUnits.map(\.rawValue).joined(separator: ", ")
                throw UsageError(description: "unknown compute units \(name); allowed: \(allowed)")
            }
            return units
        }
    }
}
#else
/// `run`, where there is no Core ML: says so.
enum RunCommand {
    static func run(_ words: [String], output: inout some CommandOutput) async throws -> ExitCode {
        _ = try Arguments(words, options: ["--units", "--output"], switches: ["--quick"]).onlyFile()
        output.error(
            "not run: measuring needs Core ML, which is on macOS only; copy the folder to a Mac and run it there")
        return .unavailable
    }
}
#endif
