import Foundation
import Testing

@testable import TinyMLCore

/// The app's own model, brought in again in every way; and what must not come in.
struct ModelLibraryTests {
    private let shipped: InstalledModel
    private var exported: URL { shipped.folder }
    private var package: URL { shipped.package }

    init() throws { shipped = try Fixtures.shippedModel() }

    private func withLibrary(_ body: (ModelLibrary, URL) throws -> Void) throws {
        try Fixtures.withTemporaryFolder { folder in
            try body(ModelLibrary(folder: folder.appendingPathComponent("Models")), folder)
        }
    }

    private func archive(_ folder: URL, root: String, in target: URL) throws -> URL {
        let file = target.appendingPathComponent("model.zip")
        try ZipWriter.archive(ZipWriter.entries(of: folder, root: root)).write(to: file)
        return file
    }

    @Test func anExportedFolderIsCopiedAndListed() throws {
        try withLibrary { library, _ in
            let model = try library.add(exported)
            #expect(model.facts == shipped.facts)
            #expect(model.goldenImage != nil)
            #expect(library.contents().models == [model])
            // A second time it is replaced, not doubled.
            #expect(try library.add(exported) == model)
            #expect(library.contents().models.count == 1)
        }
    }

    @Test(arguments: ["", "model/", "a/b/"])
    func anArchiveOfAnExportedFolderIsBroughtIn(root: String) throws {
        try withLibrary { library, folder in
            let model = try library.add(archive(exported, root: root, in: folder))
            #expect(model.facts.verification != nil)
            try model.verifyChecksums()
        }
    }

    @Test func aBarePackageSaysItselfHowImagesArePrepared() throws {
        try withLibrary { library, folder in
            let zipped = try archive(package, root: "some.mlpackage/", in: folder)
            for source in [package, zipped] {
                let model = try library.add(source)
                #expect(model.facts.architecture == shipped.facts.architecture)
                #expect(model.facts.variant.hasPrefix("coreml-"))
                #expect(model.facts.preprocess == shipped.facts.preprocess)
                #expect(model.facts.labels == shipped.facts.labels)
                #expect(model.facts.isPreprocessKnown)
                #expect(model.facts.data == shipped.facts.data)
                // What nobody recorded beside it is not made up.
                #expect(model.facts.verification == nil)
                #expect(model.golden == nil)
                try model.verifyChecksums()
                try library.remove(model)
            }
            #expect(library.contents().models.isEmpty)
        }
    }

    @Test func aBarePackageHasTheChecksumOfItsManifest() throws {
        try withLibrary { library, _ in
            let exported = try InstalledModel(folder: self.exported)
            let bare = try library.add(package)
            #expect(bare.facts.sha256 == exported.facts.sha256)
            #expect(bare.facts.bytes == exported.facts.bytes)
        }
    }

    @Test func aChangedCopyIsNoticed() throws {
        try withLibrary { library, _ in
            let model = try library.add(package)
            try Data("x".utf8).write(to: model.package.appendingPathComponent("extra"))
            #expect(throws: CatalogError.changed(name: model.facts.path)) { try model.verifyChecksums() }
        }
    }

    @Test func aDamagedExportLeavesNothingAndWhatWasThereStays() throws {
        try withLibrary { library, folder in
            let good = try library.add(exported)
            let copy = folder.appendingPathComponent("copy")
            try FileManager.default.copyItem(at: exported, to: copy)
            try Data("x".utf8).write(to: copy.appendingPathComponent("golden.png"))
            #expect(throws: CatalogError.changed(name: "golden.png")) { try library.add(copy) }
            #expect(library.contents().models == [good])
            #expect(library.contents().refused.isEmpty)
            try good.verifyChecksums()
        }
    }

    @Test func whatAnImportLeftThatWasCutOffIsNoModelAndGoes() throws {
        try withLibrary { library, folder in
            let left = folder.appendingPathComponent("Models/.unfinished-1/model")
            try FileManager.default.createDirectory(at: left, withIntermediateDirectories: true)
            #expect(library.contents().refused.isEmpty)
            _ = try library.add(exported)
            #expect(!FileManager.default.fileExists(atPath: left.path))
        }
    }

    @Test func aStrangersFolderFileOrArchiveSaysWhatIsNeeded() throws {
        try withLibrary { library, folder in
            let empty = folder.appendingPathComponent("empty")
            try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
            let text = folder.appendingPathComponent("a.txt")
            try Data("x".utf8).write(to: text)
            let zip = folder.appendingPathComponent("b.zip")
            try ZipWriter.archive([.init(path: "a.txt")]).write(to: zip)
            for source in [empty, text, zip] {
                #expect(throws: ModelImportError.nothingFound(name: source.lastPathComponent)) {
                    try library.add(source)
                }
            }
        }
    }

    @Test func anArchiveOfSeveralModelsIsRefused() throws {
        try withLibrary { library, folder in
            let zip = folder.appendingPathComponent("two.zip")
            let entries = ["a.mlpackage/x", "b.mlpackage/x"].map { ZipWriter.Entry(path: $0) }
            try ZipWriter.archive(entries).write(to: zip)
            #expect(throws: ModelImportError.several(names: ["a.mlpackage", "b.mlpackage"])) { try library.add(zip) }
        }
    }

    @Test func onlyModelsOfTheLibraryCanBeDeleted() throws {
        try withLibrary { library, _ in
            let bundled = try InstalledModel(folder: exported)
            #expect(!library.holds(bundled))
            #expect(throws: CatalogError.missing(name: bundled.facts.path)) { try library.remove(bundled) }
            #expect(library.holds(try library.add(exported)))
        }
    }

    @Test func aFolderThatCannotBeUsedCanBeDeleted() throws {
        try withLibrary { library, folder in
            let broken = folder.appendingPathComponent("Models/broken")
            try FileManager.default.createDirectory(at: broken, withIntermediateDirectories: true)
            let refusal = try #require(library.contents().refused.first)
            try library.remove(refusal)
            #expect(library.contents().refused.isEmpty)
            let outside = ModelCatalog.Refusal(folder: "../Models", reason: "")
            #expect(throws: CatalogError.missing(name: "../Models")) { try library.remove(outside) }
        }
    }

    @Test func storageIsCounted() throws {
        try withLibrary { library, folder in
            let model = try library.add(package)
            let imported = folder.appendingPathComponent("Models")
            let nothing = folder.appendingPathComponent("nothing")
            let use = try StorageUse(imported: imported, compiled: 0, records: [nothing])
            #expect(use.imported > model.facts.bytes)
            #expect((use.compiled, use.records, use.total) == (0, 0, use.imported))
            #expect(try FileSize.bytes(of: model.package) == model.facts.bytes)
        }
    }
}

/// Model files made by hand, for what the app's own model cannot show.
struct ModelFileTests {
    private func field(_ number: Int, _ bytes: Data) -> Data {
        varint(number << 3 | 2) + varint(bytes.count) + bytes
    }

    private func field(_ number: Int, _ value: Int) -> Data { varint(number << 3) + varint(value) }

    private func varint(_ value: Int) -> Data {
        value < 128 ? Data([UInt8(value)]) : Data([UInt8(value & 127 | 128)]) + varint(value >> 7)
    }

    private func model(width: Int, height: Int, space: Int = 20, spec: String? = nil, isClassifier: Bool = true) -> Data
    {
        let image = field(1, width) + field(2, height) + field(3, space)
        var description = field(1, field(1, Data("image".utf8)) + field(3, field(4, image)))
        if isClassifier { description += field(12, Data("probabilities".utf8)) }
        if let spec {
            let pair = field(1, Data("tinyml.spec".utf8)) + field(2, Data(spec.utf8))
            description += field(100, field(100, pair))
        }
        return field(1, 8) + field(2, description) + field(502, Data(repeating: 7, count: 300))
    }

    private func facts(_ model: Data) throws -> ModelFacts {
        try Fixtures.withTemporaryFolder { folder in
            let package = folder.appendingPathComponent("stranger.mlpackage")
            let data = package.appendingPathComponent("Data")
            try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
            try model.write(to: data.appendingPathComponent("m.mlmodel"))
            try Data(#"{"itemInfoEntries": {"a": {"path": "m.mlmodel"}}, "rootModelIdentifier": "a"}"#.utf8)
                .write(to: package.appendingPathComponent("Manifest.json"))
            return try ModelFacts(BareModelRecord(package: package), of: package)
        }
    }

    @Test func ofAStrangersModelOnlyTheInputIsKnown() throws {
        let facts = try facts(model(width: 224, height: 224))
        #expect((facts.architecture, facts.variant, facts.data) == ("stranger", "unknown", nil))
        #expect(facts.preprocess == Preprocess(inputSize: 224, resize: 224))
        #expect(!facts.isPreprocessKnown)
    }

    @Test func whatIsNoClassifierOfSquareColorImagesIsRefused() {
        let name = "stranger.mlpackage"
        #expect(throws: ModelImportError.notSquare(name: name, width: 224, height: 100)) {
            try facts(model(width: 224, height: 100))
        }
        for bytes in [model(width: 64, height: 64, space: 10), model(width: 64, height: 64, isClassifier: false)] {
            #expect(throws: ModelImportError.notAClassifier(name: name)) { try facts(bytes) }
        }
        for bytes in [Data(), Data("nonsense".utf8), Data([0x08]), model(width: 9, height: 9).prefix(40)] {
            #expect(throws: ModelImportError.notAModel(name: name)) { try facts(bytes) }
        }
    }

    @Test func aSpecThatContradictsTheModelIsRefused() {
        let spec =
            #"{"architecture": "a", "parameters": 1, "labels": [], "preprocess": {"input_size": 64, "resize": 64}}"#
        #expect(throws: ModelImportError.contradiction(name: "stranger.mlpackage", said: 64, taken: 32)) {
            try facts(model(width: 32, height: 32, spec: spec))
        }
    }

    @Test func aPackageWhoseManifestPointsOutsideIsRefused() throws {
        try Fixtures.withTemporaryFolder { folder in
            let package = folder.appendingPathComponent("a.mlpackage")
            try FileManager.default.createDirectory(at: package, withIntermediateDirectories: true)
            try Data(#"{"itemInfoEntries": {"a": {"path": "../../m"}}, "rootModelIdentifier": "a"}"#.utf8)
                .write(to: package.appendingPathComponent("Manifest.json"))
            #expect(throws: ModelImportError.notAModel(name: "a.mlpackage")) { try ModelFile(package: package) }
        }
    }
}

/// Downloads with a fake instead of the web.
struct ModelDownloadTests {
    private struct FakeFetcher: FileFetching {
        var content: Data?

        func fetch(_ address: URL, to file: URL, allowed: Int) async throws {
            guard let content else { throw ModelImportError.server(status: 404) }
            if content.count > allowed {
                throw ModelImportError.downloadTooLarge(bytes: content.count, allowed: allowed)
            }
            try content.write(to: file)
        }
    }

    @Test func anArchiveIsFetchedAndBroughtIn() async throws {
        let content = try ZipWriter.archive(ZipWriter.entries(of: Fixtures.shippedModel().folder, root: "m/"))
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tinyml-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let library = ModelLibrary(folder: folder)
        let download = ModelDownload(library: library, fetcher: FakeFetcher(content: content))
        let model = try await download.add("  https://example.org/models/m.zip?raw=1\n")
        #expect(library.contents().models == [model])
        let absent = ModelDownload(library: library, fetcher: FakeFetcher(content: nil))
        await #expect(throws: ModelImportError.server(status: 404)) {
            try await absent.add("https://example.org/m.zip")
        }
        let small = ModelDownload(library: library, fetcher: FakeFetcher(content: content), allowed: 10)
        await #expect(throws: ModelImportError.downloadTooLarge(bytes: content.count, allowed: 10)) {
            try await small.add("https://example.org/m.zip")
        }
        #expect(library.contents().models == [model])
    }

    @Test(arguments: [
        "", "m.zip", "http://example.org/m.zip", "file:///m.zip", "https://example.org/m.mlmodel", "https:///m.zip",
    ])
    func onlySecureAddressesOfArchivesAreFetched(text: String) {
        #expect(throws: ModelImportError.address(text)) { try ModelDownload.address(text) }
    }
}
