import Foundation
import Testing

@testable import TinyMLCore

/// The course of the models, with real folders and a loader that only pretends.
@MainActor
struct ModelFlowTests {
    private struct Shelf: ModelShelf {
        struct Refused: Error {}

        let root: URL
        let breadcrumb: LoadBreadcrumb
        let forgotten = Log()
        var hasCatalog = true

        final class Log: Sendable {
            private let lock = NSLock()
            nonisolated(unsafe) private var entries: [String] = []
            func add(_ entry: String) { lock.withLock { entries.append(entry) } }
            var all: [String] { lock.withLock { entries } }
        }

        var library: ModelLibrary { ModelLibrary(folder: root.appendingPathComponent("Models")) }

        func bundled() throws -> ModelCatalog? {
            guard hasCatalog else { return try ModelCatalog(folder: root.appendingPathComponent("nowhere")) }
            return try ModelCatalog(folder: Fixtures.own.appendingPathComponent("../../App/Models").standardized)
        }

        func load(_ model: InstalledModel, units: Units) async throws -> String {
            if model.facts.architecture == "refused" { throw CatalogError.changed(name: "refused") }
            return "\(model.facts.architecture) \(units.rawValue)"
        }

        func bringIn(_ file: URL) async throws -> InstalledModel { try library.add(file) }

        func fetch(_ address: String) async throws -> InstalledModel { throw ModelImportError.address(address) }

        func forget(_ model: InstalledModel) throws { forgotten.add(model.id) }

        func keepCompiled(only models: [InstalledModel]) { forgotten.add("keep \(models.count)") }
    }

    private let shipped: InstalledModel

    init() throws { shipped = try Fixtures.shippedModel() }

    /// A flow in a folder of its own; `crash` leaves what a launch before this one would have left.
    private func withFlow(
        kept: Choices? = nil, crash: String? = nil, hasCatalog: Bool = true,
        _ body: (ModelFlow<Shelf>, Shelf, ChoiceFile) async throws -> Void
    ) async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("tinyml-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        let file = ChoiceFile(folder: root)
        if let kept { try file.write(kept) }
        if let crash {
            _ = try LoadBreadcrumb(folder: root, process: "before").lay(
                .init(artifactSHA256: crash, name: "net", units: .all))
        }
        var shelf = Shelf(root: root, breadcrumb: LoadBreadcrumb(folder: root))
        shelf.hasCatalog = hasCatalog
        let flow = ModelFlow(shelf: shelf, choiceFile: file, isSimulator: false)
        try await body(flow, shelf, file)
    }

    /// A package to bring in that is no copy of the shipped one.
    private func other(in root: URL) throws -> URL {
        let package = root.appendingPathComponent("other.mlpackage")
        try FileManager.default.copyItem(at: shipped.package, to: package)
        try Data("x".utf8).write(to: package.appendingPathComponent("note.txt"))
        return package
    }

    @Test func aLaunchTakesUpTheLastChoiceOnce() async throws {
        try await withFlow(kept: Choices(model: shipped.id, units: .cpuAndGPU)) { flow, _, _ in
            #expect(flow.state.stage == .none)
            flow.start()
            #expect((flow.selection, flow.units, flow.alert) == (shipped.id, .cpuAndGPU, nil))
            await flow.settle()
            #expect(flow.state.loaded == "\(shipped.facts.architecture) cpu_and_gpu")
            flow.selection = nil
            flow.start()
            #expect(flow.selection == nil, "another window starts it anew")
        }
    }

    @Test func aCrashIsTalkedAboutBeforeAnythingIsLoaded() async throws {
        try await withFlow(crash: shipped.id) { flow, shelf, file in
            flow.start()
            #expect((flow.selection, flow.state.stage) == (nil, .none))
            #expect(flow.alert == .crashed(.init(artifactSHA256: shipped.id, name: "net", units: .all)))
            flow.perform(.retryOnCPU)
            await flow.settle()
            #expect((flow.alert, flow.selection, flow.units) == (nil, shipped.id, .cpuOnly))
            #expect(flow.state.loaded == "\(shipped.facts.architecture) cpu_only")
            #expect(shelf.breadcrumb.leftover == nil)
            #expect(file.read().units == .cpuOnly)
        }
        try await withFlow(crash: "gone") { flow, shelf, _ in
            flow.start()
            flow.dismissAlert()
            #expect((flow.alert, flow.selection, flow.units) == (nil, shipped.id, .all))
            #expect(shelf.breadcrumb.leftover == nil)
        }
    }

    @Test func whatIsBroughtInIsChosenAndRemembered() async throws {
        try await withFlow { flow, shelf, file in
            flow.start()
            await flow.importModel(from: try other(in: shelf.root))
            let brought = try #require(flow.selected)
            #expect((brought.id == shipped.id, flow.models.count, flow.isTakingIn) == (false, 2, false))
            #expect(file.read().model == brought.id)
            var screen = ModelsScreen()
            flow.fill(&screen)
            #expect(screen.deletable == [brought.id])
            #expect((screen.models, screen.selection, screen.units) == (flow.models, brought.id, .all))
        }
    }

    @Test func whatCannotBeBroughtInIsToldAndChangesNothing() async throws {
        try await withFlow { flow, shelf, _ in
            flow.start()
            await flow.importModel(fromAddress: "nonsense")
            #expect(flow.alert == .problem(ModelImportError.address("nonsense").phrase))
            #expect((flow.selection, flow.isTakingIn) == (shipped.id, false))
            flow.dismissAlert()
            #expect(flow.alert == nil)
            await flow.importModel(from: shelf.root.appendingPathComponent("absent.zip"))
            #expect(flow.alert != nil)
        }
    }

    @Test func twoModelsAreLoadedAndAModelThatIsDeletedLeavesBoth() async throws {
        try await withFlow { flow, shelf, file in
            flow.start()
            await flow.importModel(from: try other(in: shelf.root))
            let brought = try #require(flow.selected)
            flow.compare(with: shipped.id)
            await flow.settle()
            #expect(flow.compared == shipped)
            #expect(flow.beside.loaded == "\(shipped.facts.architecture) all")
            #expect(file.read().beside == shipped.id)
            flow.units = .cpuOnly
            await flow.settle()
            #expect(flow.beside.loaded == "\(shipped.facts.architecture) cpu_only")
            flow.delete(brought.id)
            await flow.settle()
            #expect((flow.selection, flow.models) == (shipped.id, [shipped]))
            #expect(shelf.forgotten.all.contains(brought.id))
            // The second model is the chosen one now, and is not compared with itself.
            #expect((flow.compared, flow.beside.stage) == (nil, .none))
        }
    }

    @Test func theAppsOwnModelsStayAndRefusedFoldersGo() async throws {
        try await withFlow { flow, shelf, _ in
            let broken = shelf.root.appendingPathComponent("Models/broken")
            try FileManager.default.createDirectory(at: broken, withIntermediateDirectories: true)
            flow.start()
            #expect(flow.refused.map(\.id) == ["broken"])
            flow.delete(shipped.id)
            #expect(flow.alert == .problem(CatalogError.missing(name: shipped.facts.path).phrase))
            #expect(flow.models == [shipped])
            flow.perform(.dismiss)
            flow.delete("nothing")
            flow.discard("nothing")
            flow.discard("broken")
            #expect((flow.refused.isEmpty, flow.alert) == (true, nil))
        }
    }

    @Test func aMissingCatalogIsToldAndWhatWasBroughtInWorks() async throws {
        try await withFlow(hasCatalog: false) { flow, shelf, _ in
            let brought = try shelf.library.add(try other(in: shelf.root))
            flow.start()
            #expect(flow.alert == .problem(CatalogError.noCatalog(folder: "nowhere").phrase))
            #expect(flow.selection == brought.id)
        }
    }
}
