import Foundation
import Testing

@testable import TinyMLCore

struct ZipTests {
    private func unpacked(_ data: Data, allowed: Int = 1 << 20) throws -> [String: String] {
        try Fixtures.withTemporaryFolder { folder in
            try ZipArchive(data, name: "a.zip").unpack(into: folder, allowed: allowed)
            let entries = try ZipWriter.entries(of: folder, root: "")
            return Dictionary(
                uniqueKeysWithValues: entries.map { ($0.path, String(decoding: $0.content, as: UTF8.self)) })
        }
    }

    @Test func whatAnotherProgramPackedIsUnpacked() throws {
        let data = try #require(Data(base64Encoded: Self.archive))
        #expect(try unpacked(data) == ["folder/words.txt": String(repeating: "packed ", count: 40), "empty.txt": ""])
    }

    @Test func plainFilesAndFoldersAreUnpackedAndLitterIsLeft() throws {
        let data = ZipWriter.archive([
            .init(path: "a/"), .init(path: "a/b/c.txt", content: Data("c".utf8)),
            .init(path: "__MACOSX/a/._b", content: Data("x".utf8)), .init(path: "a/.DS_Store"),
        ])
        #expect(try unpacked(data) == ["a/b/c.txt": "c"])
    }

    @Test(arguments: ["../out", "a/../../out", "/etc/out", "a//b", "a\\..\\b", "C:/out", "./a", "..", "a/./b", "a\0b"])
    func aPathThatLeavesTheFolderIsRefusedBeforeAnythingIsWritten(path: String) throws {
        let data = ZipWriter.archive([.init(path: "good.txt"), .init(path: path, content: Data("x".utf8))])
        #expect(throws: ZipError.unsafe(entry: path)) { try ZipArchive(data, name: "a.zip") }
    }

    @Test func aLinkIsRefused() {
        let data = ZipWriter.archive([.init(path: "link", content: Data("/etc".utf8), mode: 0o120777)])
        #expect(throws: ZipError.unsafe(entry: "link")) { try ZipArchive(data, name: "a.zip") }
    }

    @Test func namesThatDifferInCapitalsOnlyAreRefused() {
        let data = ZipWriter.archive([.init(path: "a.txt"), .init(path: "A.txt")])
        #expect(throws: ZipError.repeated(entry: "A.txt")) { try ZipArchive(data, name: "a.zip") }
    }

    @Test(arguments: [ZipWriter.Entry(path: "a", flags: 1), ZipWriter.Entry(path: "a", method: 12)])
    func whatCannotBeReadIsToldApart(entry: ZipWriter.Entry) {
        #expect(throws: ZipError.unsupported(entry: "a")) {
            try ZipArchive(ZipWriter.archive([entry]), name: "a.zip")
        }
    }

    @Test(arguments: [
        ZipWriter.Entry(path: "a", content: Data("x".utf8), checksum: 1),
        ZipWriter.Entry(path: "a", content: Data("x".utf8), bytes: 2),
        ZipWriter.Entry(path: "a", content: Data("no stream".utf8), method: 8, bytes: 9),
    ])
    func damageIsNoticed(entry: ZipWriter.Entry) {
        #expect(throws: ZipError.damaged(entry: "a")) { try unpacked(ZipWriter.archive([entry])) }
    }

    @Test func whatClaimsToBeTooLargeIsRefusedBeforeItIsUnpacked() {
        let data = ZipWriter.archive([.init(path: "a", content: Data("x".utf8), method: 8, bytes: 1 << 31)])
        #expect(throws: ZipError.tooLarge(bytes: 1 << 31, allowed: 1 << 20)) { try unpacked(data) }
    }

    @Test func everyCutIsNoticed() {
        let whole = ZipWriter.archive([.init(path: "a.txt", content: Data("some content".utf8))])
        for count in 0..<whole.count {
            #expect(throws: ZipError.self, "cut after \(count)") { try unpacked(whole.prefix(count)) }
        }
    }

    /// What Python's zipfile made of two files, one of them packed.
    private static let archive =
        "UEsDBBQAAAAIAAAAIVx8N6BbDQAAABgBAAAQAAAAZm9sZGVyL3dvcmRzLnR4dCtITM5OTVEoGKVQKQBQSwMEFAAAAAgAAAAhXAAA"
        + "AAACAAAAAAAAAAkAAABlbXB0eS50eHQDAFBLAQIUAxQAAAAIAAAAIVx8N6BbDQAAABgBAAAQAAAAAAAAAAAAAACAAQAAAABmb2xk"
        + "ZXIvd29yZHMudHh0UEsBAhQDFAAAAAgAAAAhXAAAAAACAAAAAAAAAAkAAAAAAAAAAAAAAIABOwAAAGVtcHR5LnR4dFBLBQYAAAAA"
        + "AgACAHUAAABkAAAAAAA="
}
