import Foundation
import Testing

@testable import TinyMLCore

/// What every error of ours says, in both languages.
struct ErrorTests {
    private static let errors: [any ExplainedError] = [
        CameraProblem.denied, CameraProblem.noCamera, CameraProblem.session("Cannot Record"),
        FileAccessError.notAFile(address: "https://example.org"), FileAccessError.notReadable(name: "a.png"),
        FileAccessError.absent(name: "a.json"),
        CatalogError.noCatalog(folder: "Models"), CatalogError.missing(name: "manifest.json"),
        CatalogError.changed(name: "a.mlpackage"), CatalogError.cropTooLarge(inputSize: 64, resize: 32),
        CatalogError.foreignFormat(name: "a.onnx", format: "ONNX"), CatalogError.outside(name: "../a"),
        ImageError.empty(width: 0, height: 3),
        ImageError.tooFewBytes(needed: 12, found: 3), ImageError.unreadable(name: "a.txt"),
        ImageError.unwritable(name: "a.png"), ModelImportError.nothingFound(name: "a.zip"),
        ModelImportError.several(names: ["a", "b"]), ModelImportError.notAModel(name: "a.mlpackage"),
        ModelImportError.notAClassifier(name: "a.mlpackage"),
        ModelImportError.notSquare(name: "a.mlpackage", width: 64, height: 32),
        ModelImportError.contradiction(name: "a.mlpackage", said: 64, taken: 32),
        ModelImportError.address("ftp://a"), ModelImportError.server(status: 404),
        ModelImportError.downloadTooLarge(bytes: 7, allowed: 5), ZipError.notAnArchive(name: "a.zip"),
        ZipError.unsupported(entry: "a"), ZipError.unsafe(entry: "../a"), ZipError.repeated(entry: "a"),
        ZipError.damaged(entry: "a"), ZipError.tooLarge(bytes: 7, allowed: 5), VideoError.empty(name: "a.mov"),
        VideoError.unreadable(name: "a.mov", reason: ImageError.unreadable(name: "frame").phrase),
        PhotoQuestionError.noModel, BenchmarkRunner.Stop.canceled, BenchmarkRunner.Stop.tooHot,
        SchemaError.notJSON(file: "a.json"),
        SchemaError.wrongKind(file: "a.json", found: nil, expected: "bench_run"),
        SchemaError.wrongKind(file: "a.json", found: "golden", expected: "bench_run"),
        SchemaError.noVersion(file: "a.json"), SchemaError.newer(file: "a.json", version: "9.0"),
        SchemaError.tooOld(file: "a.json", version: "0.1"),
        SchemaError.doesNotFit(file: "a.json", place: "", problem: "missing"),
        SchemaError.doesNotFit(file: "a.json", place: "results.0", problem: Phrase("must be one of %@", "1, 2")),
    ]

    @Test(arguments: Language.all) func errorsAreSaidInEachLanguage(code: String) throws {
        let language = try Language(code)
        let told = Self.errors.map { "\(type(of: $0)): \($0.phrase.text(language.text))" }
        // The schema moves on without these sentences.
        let text = told.joined(separator: "\n").replacingOccurrences(of: "\(SchemaVersion.current)", with: "(current)")
        try Snapshot.expect("errors", language, [("every error", text)])
    }

    @Test func aFieldsProblemReachesTheUserInTheirLanguage() {
        let error = #expect(throws: SchemaError.self) {
            _ = try BenchRun(
                json: Data(#"{"kind": "bench_run", "schema_version": "2.0", "id": "a b"}"#.utf8), name: "a")
        }
        guard case .doesNotFit(_, let place, let problem) = error else { return #expect(Bool(false), "another error") }
        #expect(place == "id")
        #expect(problem == "must consist of letters, digits, dots, dashes and underscores")
    }
}
