import Foundation
import Testing

@testable import TinyMLCore

/// A language of the app, with the words of its string catalog.
struct Language: CustomTestStringConvertible {
    let code: String
    let locale: Locale
    private let texts: [String: String]

    static let all = ["en", "de"]

    init(_ code: String) throws {
        struct Catalog: Decodable {
            struct Entry: Decodable { let localizations: [String: Localization]? }
            struct Localization: Decodable { let stringUnit: Unit }
            struct Unit: Decodable { let value: String }
            let sourceLanguage: String
            let strings: [String: Entry]
        }
        let file = Fixtures.own.appendingPathComponent("../../App/TinyMLDemo/Localizable.xcstrings").standardized
        let catalog = try JSONDecoder().decode(Catalog.self, from: Data(contentsOf: file))
        self.code = code
        locale = Locale(identifier: code == "de" ? "de_DE" : "en_US")
        var texts: [String: String] = [:]
        for (key, entry) in catalog.strings {
            // A key of the source language stands for itself; one of another that has no words has no text at all.
            texts[key] = entry.localizations?[code]?.stringUnit.value ?? (code == catalog.sourceLanguage ? key : nil)
        }
        self.texts = texts
    }

    var testDescription: String { code }
    var formats: Formats { Formats(locale: locale, timeZone: .gmt) }

    /// The text of a key; a key without one is a failure of the test.
    func text(_ key: String) -> String {
        guard let text = texts[key] else {
            Issue.record("no \(code) text in the string catalog for: \(key)")
            return "?? \(key)"
        }
        return text
    }
}

/// What screens show, kept as text files.
enum Snapshot {
    /// Compares the transcripts of a screen's states with what is kept of them.
    ///
    /// After a wanted change, `TINYML_SNAPSHOTS=write swift test` writes them anew; look at the difference.
    static func expect(_ name: String, _ language: Language, _ states: [(String, String)]) throws {
        let found = states.map { "### \($0.0)\n\n\($0.1)\n" }.joined(separator: "\n")
        let file = Fixtures.own.appendingPathComponent("../Snapshots/\(name).\(language.code).txt").standardized
        if ProcessInfo.processInfo.environment["TINYML_SNAPSHOTS"] == "write" {
            try Data(found.utf8).write(to: file)
            return
        }
        let kept = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        let (new, old) = (found.components(separatedBy: "\n"), kept.components(separatedBy: "\n"))
        let change = zip(new, old).enumerated().first { $0.element.0 != $0.element.1 }
        let place = change.map { "line \($0.offset + 1): “\($0.element.0)”, kept is “\($0.element.1)”" }
        #expect(found == kept, "\(file.lastPathComponent) differs: \(place ?? "in length")")
    }
}
