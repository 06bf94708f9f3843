import Foundation
import Testing

@testable import TinyMLCore

/// Model folders as `tinyml app sync` leaves them, whole and spoiled.
struct CatalogTests {
    /// A catalog of one model whose package is a folder with one file.
    private func withCatalog(
        spoil: (URL) throws -> Void = { _ in }, change: (String) -> String = { $0 }, _ body: (URL) throws -> Void
    ) throws {
        try Fixtures.withTemporaryFolder { root in
            let folder = root.appendingPathComponent("vit-coreml-palette4g8")
            let package = folder.appendingPathComponent("vit-coreml-palette4g8.mlpackage")
            try FileManager.default.createDirectory(at: package, withIntermediateDirectories: true)
            try Data("weights".utf8).write(to: package.appendingPathComponent("weight.bin"))
            try Data("an image".utf8).write(to: folder.appendingPathComponent("golden.png"))
            let hash = try ContentHash.sha256(of: package)
            let image = SHA256Digest.hex(Data("an image".utf8))
            for (from, to) in [("artifact", "manifest"), ("golden", "golden")] {
                let text = try String(contentsOf: Fixtures.own.appendingPathComponent("\(from).json"), encoding: .utf8)
                let filled = text.replacingOccurrences(of: String(repeating: "a", count: 64), with: hash)
                    .replacingOccurrences(of: String(repeating: "c", count: 64), with: image)
                try Data(change(filled).utf8).write(to: folder.appendingPathComponent("\(to).json"))
            }
            try Data(
                """
                {"schema_version": "2.0", "kind": "app_catalog",
                 "models": [{"folder": "vit-coreml-palette4g8", "artifact_sha256": "\(hash)"}],
                 "provenance": {"created_at": "2026-11-23T17:05:09Z", "command": "test", "tool_version": "0.1.0"}}
                """.utf8
            ).write(to: root.appendingPathComponent("catalog.json"))
            try spoil(folder)
            try body(root)
        }
    }

    @Test func aModelForAnotherRuntimeIsRefusedAndOneForCoreAIListed() throws {
        func format(_ name: String) -> (String) -> String {
            { $0.replacingOccurrences(of: "\"format\": \"coreml\"", with: "\"format\": \"\(name)\"") }
        }
        try withCatalog(change: format("onnx")) { root in
            let error = CatalogError.foreignFormat(name: "vit-coreml-palette4g8.mlpackage", format: "ONNX")
            let catalog = try ModelCatalog(folder: root)
            #expect(catalog.refused.map(\.reason) == [error.phrase])
        }
        try withCatalog(change: format("coreai")) { root in
            let model = try #require(try ModelCatalog(folder: root).models.first)
            #expect((model.facts.format, model.facts.labels?.count) == (.coreai, 2))
        }
    }

    @Test func aWholeModelIsListedAndVerified() throws {
        try withCatalog { root in
            let catalog = try ModelCatalog(folder: root)
            #expect(catalog.refused.isEmpty)
            let model = try #require(catalog.models.first)
            #expect(model.facts.variant == "coreml-palette4g8")
            #expect(model.goldenImage?.lastPathComponent == "golden.png")
            try model.verifyChecksums()
        }
    }

    @Test(arguments: [
        ("vit-coreml-palette4g8.mlpackage/weight.bin", CatalogError.changed(name: "vit-coreml-palette4g8.mlpackage")),
        ("golden.png", .changed(name: "golden.png")),
    ])
    func aChangedFileFailsItsChecksum(path: String, error: CatalogError) throws {
        try withCatalog(spoil: { try Data("other".utf8).write(to: $0.appendingPathComponent(path)) }) { root in
            let model = try #require(try ModelCatalog(folder: root).models.first)
            #expect(throws: error) { try model.verifyChecksums() }
        }
    }

    @Test(arguments: [
        ("vit-coreml-palette4g8.mlpackage", "vit-coreml-palette4g8.mlpackage is missing"),
        ("manifest.json", "manifest.json is missing"),
        ("golden.png", "golden.png is missing"),
    ])
    func whatIsMissingIsToldAndTheRestGoesOn(path: String, reason: String) throws {
        try withCatalog(spoil: { try FileManager.default.removeItem(at: $0.appendingPathComponent(path)) }) { root in
            let catalog = try ModelCatalog(folder: root)
            #expect(catalog.models.isEmpty)
            #expect(catalog.refused.first?.reason.english.hasPrefix(reason) == true)
        }
    }

    @Test func aPathThatLeavesItsFolderIsRefused() throws {
        let change = { (text: String) in
            text.replacingOccurrences(of: "\"vit-coreml-palette4g8.ml", with: "\"../vit-coreml-palette4g8.ml")
        }
        try withCatalog(change: change) { root in
            let reason = try ModelCatalog(folder: root).refused.first?.reason.english
            #expect(reason == "the manifest names a file outside its folder: ../vit-coreml-palette4g8.mlpackage")
        }
    }

    @Test func aCropLargerThanTheImageIsRefused() throws {
        let change = { (text: String) in text.replacingOccurrences(of: "\"resize\": 64", with: "\"resize\": 32") }
        try withCatalog(change: change) { root in
            let reason = try ModelCatalog(folder: root).refused.first?.reason.english
            #expect(reason?.hasPrefix("the model wants 64 pixels") == true)
        }
    }

    @Test func aFolderWithoutACatalogSaysWhatToDo() throws {
        try Fixtures.withTemporaryFolder { folder in
            let error = #expect(throws: CatalogError.self) { try ModelCatalog(folder: folder) }
            #expect(error?.description.contains("tinyml app sync") == true)
        }
    }

    /// The models of the app in this package.
    @Test func theAppsOwnModelsAreWhole() throws {
        let folder = Fixtures.own.appendingPathComponent("../../App/Models").standardized
        let catalog = try ModelCatalog(folder: folder)
        #expect(catalog.refused.isEmpty)
        #expect(!catalog.models.isEmpty)
        for model in catalog.models { try model.verifyChecksums() }
    }
}
