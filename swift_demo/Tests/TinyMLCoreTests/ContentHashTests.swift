import Foundation
import Testing

@testable import TinyMLCore

/// Oracle: `tinyml.store.file_sha256`, in fixtures that Python wrote.
struct ContentHashTests {
    struct File: Decodable {
        struct Member: Decodable {
            let path: String
            let content: Data
        }

        let files: [Member]
        let folderSha256, filePath, fileSha256: String
    }

    @Test func hashesEqualPythons() throws {
        let fixture = try Fixtures.decode(File.self, "hashes.json")
        try Fixtures.withTemporaryFolder { folder in
            for member in fixture.files {
                let url = folder.appendingPathComponent(member.path)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try member.content.write(to: url)
            }
            #expect(try ContentHash.sha256(of: folder) == fixture.folderSha256)
            #expect(try ContentHash.sha256(of: folder.appendingPathComponent(fixture.filePath)) == fixture.fileSha256)
        }
    }

    /// The example of FIPS 180-4, and lengths around a block's end.
    @Test func digestsOfKnownTexts() {
        #expect(
            SHA256Digest.hex(Data("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(SHA256Digest.hex(Data()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            SHA256Digest.hex(Data(repeating: 97, count: 64))
                == "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb")
    }
}
