import Foundation
import TinyMLCore

/// `tinyml-bench`: measures exported models on a Mac, and checks and compares result files anywhere.
@main
enum TinyMLBench {
    static func main() async {
        var output = Terminal()
        let arguments = Array(CommandLine.arguments.dropFirst())
        exit(await Command.run(arguments, output: &output).rawValue)
    }
}

/// How a command ended.
enum ExitCode: Int32 {
    case done = 0
    case failed = 1
    case usage = 2
    /// Right, but impossible on this machine (EX_UNAVAILABLE of sysexits.h, as the Python tool has it).
    case unavailable = 69
}

/// Where a command prints to.
protocol CommandOutput {
    mutating func line(_ text: String)
    mutating func error(_ text: String)
}

/// Standard output and standard error.
struct Terminal: CommandOutput {
    func line(_ text: String) { print(text) }
    func error(_ text: String) { FileHandle.standardError.write(Data("error: \(text)\n".utf8)) }
}
