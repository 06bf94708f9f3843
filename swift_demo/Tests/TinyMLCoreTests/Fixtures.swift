import Foundation

@testable import TinyMLCore

/// Where the fixtures lie that Python wrote.
enum Fixtures {
    static let own = folder(of: #filePath).appendingPathComponent("../Fixtures").standardized
    static let results = folder(of: #filePath).appendingPathComponent("../../../tests/fixtures/results").standardized
    /// The folder of the model that the app comes with.
    static let shipped = onlyChild(of: own.appendingPathComponent("../../App/Models").standardized) {
        FileManager.default.fileExists(atPath: $0.appendingPathComponent("manifest.json").path)
    }
    static let shippedPackage = onlyChild(of: shipped) { $0.pathExtension == "mlpackage" }
    static let artifacts = results.appendingPathComponent("../artifacts").standardized

    private static func onlyChild(of folder: URL, where isMeant: (URL) -> Bool) -> URL {
        let children = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let meant = (children ?? []).filter(isMeant)
        precondition(meant.count == 1, "one of its kind in \(folder.path), not \(meant.count)")
        return meant[0].standardized
    }

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
