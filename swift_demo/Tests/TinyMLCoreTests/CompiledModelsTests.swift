import Foundation
import Testing

@testable import TinyMLCore

/// Where compiled models lie, and when they go.
struct CompiledModelsTests {
    private let hash = String(repeating: "a", count: 64)
    private let other = String(repeating: "b", count: 64)

    private func compiled(in root: URL, _ text: String) throws -> URL {
        let folder = root.appendingPathComponent("compiled-\(UUID().uuidString).mlmodelc")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: folder.appendingPathComponent("model.mil"))
        return folder
    }

    private func names(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test func aModelIsFoundUnderItsHashAndBuild() throws {
        try Fixtures.withTemporaryFolder { root in
            let folder = root.appendingPathComponent("Caches/Compiled")
            let models = CompiledModels(folder: folder, build: "23F79")
            #expect(models.model(hash) == nil)
            #expect(try models.bytes() == 0)
            let place = try models.store(compiled(in: root, "one"), as: hash)
            #expect(models.model(hash) == place)
            #expect(try models.bytes() == 3)
            #expect(CompiledModels(folder: folder, build: "24A1").model(hash) == nil)
            _ = try models.store(compiled(in: root, "newer"), as: hash)
            #expect(try names(folder) == ["\(hash)-23F79.mlmodelc"])
            #expect(try models.bytes() == 5)
        }
    }

    @Test func whatNobodyNeedsIsRemoved() throws {
        try Fixtures.withTemporaryFolder { root in
            let folder = root.appendingPathComponent("Compiled")
            let before = CompiledModels(folder: folder, build: "23F79")
            let now = CompiledModels(folder: folder, build: "24A1")
            _ = try before.store(compiled(in: root, "an earlier build"), as: other)
            _ = try now.store(compiled(in: root, "gone"), as: other)
            _ = try before.store(compiled(in: root, "an earlier build"), as: other)
            _ = try now.store(compiled(in: root, "kept"), as: hash)
            now.keep(only: [hash])
            #expect(try names(folder) == ["\(hash)-24A1.mlmodelc"])
            try now.remove(hash)
            #expect(try names(folder).isEmpty)
        }
    }

    @Test func aFolderThatTheSystemEmptiedIsNoFailure() throws {
        try Fixtures.withTemporaryFolder { root in
            let models = CompiledModels(folder: root.appendingPathComponent("gone"), build: "1")
            models.keep(only: [hash])
            try models.remove(hash)
            #expect(models.model(hash) == nil)
        }
    }
}
