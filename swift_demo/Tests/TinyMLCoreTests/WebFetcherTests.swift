import Foundation
import Testing

@testable import TinyMLCore

/// The system's session against a real server on this machine.
struct WebFetcherTests {
    @Test(.timeLimit(.minutes(1))) func aFileIsFetchedAndWhatIsRefusedLeavesNothing() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tinyml-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let content = Data((0..<5000).map { UInt8(truncatingIfNeeded: $0) })
        try content.write(to: folder.appendingPathComponent("m.zip"))
        let server = Process()
        let said = Pipe()
        server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        server.arguments = ["python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
        server.currentDirectoryURL = folder
        server.standardOutput = said
        server.standardError = FileHandle.nullDevice
        try server.run()
        defer { server.terminate() }
        // "Serving HTTP on 127.0.0.1 port 40123 (http://127.0.0.1:40123/) ..."
        let words = String(decoding: said.fileHandleForReading.availableData, as: UTF8.self).split(separator: " ")
        let place = try #require(words.firstIndex(of: "port"))
        let base = "http://127.0.0.1:\(words[place + 1])/"
        let fetcher = WebFetcher()
        let file = folder.appendingPathComponent("fetched.zip")
        try await fetcher.fetch(try #require(URL(string: base + "m.zip")), to: file, allowed: 5000)
        #expect(try Data(contentsOf: file) == content)
        let other = folder.appendingPathComponent("other.zip")
        await #expect(throws: ModelImportError.downloadTooLarge(bytes: 5000, allowed: 4999)) {
            try await fetcher.fetch(try #require(URL(string: base + "m.zip")), to: other, allowed: 4999)
        }
        await #expect(throws: ModelImportError.server(status: 404)) {
            try await fetcher.fetch(try #require(URL(string: base + "absent.zip")), to: other, allowed: 5000)
        }
        #expect(!FileManager.default.fileExists(atPath: other.path))
    }
}
