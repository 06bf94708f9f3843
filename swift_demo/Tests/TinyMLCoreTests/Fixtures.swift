import Foundation

@testable import TinyMLCore

/// Where the fixtures lie that Python wrote.
enum Fixtures {
    static let own = folder(of: #filePath).appendingPathComponent("../Fixtures").standardized
    static let results = folder(of: #filePath).appendingPathComponent("../../../tests/fixtures/results").standardized
    static let artifacts = results.appendingPathComponent("../artifacts").standardized

    /// A fixture of this package, decoded.
    static func decode<T: Decodable>(_ type: T.Type, _ name: String) throws -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(contentsOf: own.appendingPathComponent(name)))
    }

    /// The JSON files of a folder of results that Python and Swift share, sorted by name.
    static func shared(_ folder: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: results.appendingPathComponent(folder), includingPropertiesForKeys: nil
        ).filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }
    }

    /// The first model that the app comes with, whichever it is.
    static func shippedModel() throws -> InstalledModel {
        let folder = own.appendingPathComponent("../../App/Models").standardized
        guard let model = try ModelCatalog(folder: folder).models.first else {
            throw CatalogError.noCatalog(folder: folder.path)
        }
        return model
    }

    /// A model as its manifest describes it, with other classes or another data set where a test wants them; the
    /// package is empty.
    static func model(labels: [String] = ["egyptian cat", "café"], data: String = "tiny-imagenet") throws
        -> InstalledModel
    {
        try withTemporaryFolder { folder in
            let manifest = try JSONSerialization.jsonObject(
                with: Data(contentsOf: own.appendingPathComponent("artifact.json")))
            var fields = manifest as? [String: Any] ?? [:]
            var spec = fields["spec"] as? [String: Any] ?? [:]
            spec["labels"] = labels
            fields["spec"] = spec
            fields["data"] = data
            fields["bytes"] = 280_000
            try JSONSerialization.data(withJSONObject: fields).write(to: folder.appendingPathComponent("manifest.json"))
            let package = folder.appendingPathComponent("vit-coreml-palette4g8.mlpackage")
            try FileManager.default.createDirectory(at: package, withIntermediateDirectories: true)
            return try InstalledModel(folder: folder)
        }
    }

    /// Calls `body` with a new folder that is removed afterwards.
    static func withTemporaryFolder<T>(_ body: (URL) throws -> T) throws -> T {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("tinyml-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url)
    }

    private static func folder(of path: String) -> URL {
        URL(fileURLWithPath: path).deletingLastPathComponent()
    }
}
