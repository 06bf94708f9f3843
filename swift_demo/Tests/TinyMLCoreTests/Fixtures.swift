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
