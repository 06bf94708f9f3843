import Foundation

/// The words after a verb: files, options with a value, switches.
struct Arguments {
    let files: [String]
    let options: [String: String]
    let switches: Set<String>

    /// - Throws: `UsageError` for an option or switch that is not among those given, or an option without its value.
    init(_ words: [String], options known: Set<String> = [], switches allowed: Set<String> = []) throws {
        var files: [String] = []
        var options: [String: String] = [:]
        var switches: Set<String> = []
        var rest = words[...]
        while let word = rest.popFirst() {
            if known.contains(word) {
                guard let value = rest.popFirst() else { throw UsageError(description: "\(word) needs a value") }
                options[word] = value
            } else if allowed.contains(word) {
                switches.insert(word)
            } else if word.hasPrefix("-") {
                throw UsageError(description: "unknown option \(word); see: tinyml-bench --help")
            } else {
                files.append(word)
            }
        }
        (self.files, self.options, self.switches) = (files, options, switches)
    }

    /// The one file.
    func onlyFile() throws -> URL {
        guard let file = files.first, files.count == 1 else {
            throw UsageError(description: "exactly one file is needed, not \(files.count)")
        }
        return URL(fileURLWithPath: file)
    }

    /// The value of an option that counts something; nil where it was not given.
    ///
    /// - Throws: `UsageError` for what is no number of at least 1.
    func count(_ option: String) throws -> Int? {
        guard let text = options[option] else { return nil }
        guard let number = Int(text), number >= 1 else {
            throw UsageError(description: "\(option) needs a whole number of at least 1, not \(text)")
        }
        return number
    }
}
