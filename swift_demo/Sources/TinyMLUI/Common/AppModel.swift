#if canImport(SwiftUI)
import Foundation
import Observation
import TinyMLApple
import TinyMLCore

/// What all screens share: the models, the choice among them, and the loaded classifier.
@MainActor
@Observable
final class AppModel {
    private(set) var models: [InstalledModel] = []
    private(set) var refused: [ModelCatalog.Refusal] = []
    private(set) var state = LoadState.none
    /// A model whose loading ended the app the last time.
    private(set) var crashed: LoadBreadcrumb.Content?
    /// Why the model folder or an import could not be read.
    var problem: String?
    /// The chosen model; nil until the models are listed, and while a crash is to be talked about.
    var selection: InstalledModel.ID? { didSet { if let selection { choices.model = selection } } }
    var units: Units { didSet { choices.units = units } }
    /// What the user chose, the last time or just now.
    var choices: Choices { didSet { if choices != oldValue { keepChoices() } } }
    let loader = ModelLoader()
    private let choiceFile = ChoiceFile(folder: AppFolders.support)

    init() {
        let kept = choiceFile.read()
        choices = kept
        units = kept.units
    }

    var selected: InstalledModel? { models.first { $0.id == selection } }

    /// Whether the crash is still to be talked about; false ends that.
    var hasCrashed: Bool {
        get { crashed != nil }
        set { if !newValue, crashed != nil { dismissCrash() } }
    }

    /// Whether a problem is to be told now; one alert at a time.
    var hasProblem: Bool {
        get { problem != nil && crashed == nil }
        set { if !newValue { problem = nil } }
    }

    /// Lists the models and, unless loading one ended the app the last time, takes up the one chosen last.
    func start() {
        crashed = loader.breadcrumb.leftover
        refresh()
        if crashed == nil, selection == nil { selection = choices.selection(among: models) }
    }

    /// Reads the model folders anew.
    func refresh() {
        var found = ModelImporter.library.contents()
        do {
            if let folder = AppFolders.bundled {
                let bundled = try ModelCatalog(folder: folder)
                found.models = bundled.models + found.models
                found.refused = bundled.refused + found.refused
            }
        } catch {
            problem = "\(error)"
        }
        var seen: Set<InstalledModel.ID> = []
        models = found.models.filter { seen.insert($0.id).inserted }
        refused = found.refused
    }

    /// Loads the chosen model for the chosen compute units.
    func load() async {
        guard let model = selected else {
            state = .none
            return
        }
        state = .loading
        do {
            let classifier = try await loader.classifier(for: model, units: units)
            if !Task.isCancelled { state = .ready(classifier) }
        } catch {
            if !Task.isCancelled { state = .failed("\(error)") }
        }
    }

    /// Takes up the model that ended the app, on the CPU, where no driver can fail.
    func retryOnCPU() {
        units = .cpuOnly
        selection = models.first { $0.id == crashed?.artifactSHA256 }?.id ?? models.first?.id
        dismissCrash()
    }

    /// Goes on as if nothing had happened.
    func dismissCrash() {
        loader.breadcrumb.clear()
        crashed = nil
        if selection == nil { selection = choices.selection(among: models) }
    }

    /// Brings a model in and chooses it: an exported folder, an `.mlpackage` or a zip archive of either.
    func importModel(from url: URL) async {
        await bringIn { try await Task.detached { try ModelImporter.importModel(from: url) }.value }
    }

    /// Fetches a zip archive of a model from the web, brings it in and chooses it.
    func importModel(fromAddress text: String) async {
        await bringIn { try await ModelImporter.importModel(fromAddress: text) }
    }

    /// Whether a model was brought in, and so may be deleted.
    func canDelete(_ model: InstalledModel) -> Bool { ModelImporter.library.holds(model) }

    /// Deletes a model that was brought in, with what was compiled of it; another is chosen where it was the one.
    func delete(_ model: InstalledModel) {
        change {
            try ModelImporter.library.remove(model)
            try loader.forget(model)
        }
    }

    /// Deletes a folder that was brought in and cannot be used.
    func delete(_ refusal: ModelCatalog.Refusal) {
        change { try ModelImporter.library.remove(refusal) }
    }

    /// What the app's files take up; nil where it cannot be counted.
    func storage() async -> StorageUse? {
        await Task.detached { try? AppFolders.storage() }.value
    }

    private func bringIn(_ work: () async throws -> InstalledModel) async {
        do {
            let model = try await work()
            refresh()
            selection = model.id
        } catch {
            problem = "\(error)"
        }
    }

    private func change(_ work: () throws -> Void) {
        do { try work() } catch { problem = "\(error)" }
        refresh()
        if selected == nil { selection = choices.selection(among: models) }
    }

    private func keepChoices() {
        do { try choiceFile.write(choices) } catch { problem = "\(error)" }
    }
}
#endif
