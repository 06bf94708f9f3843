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
    var selection: InstalledModel.ID?
    var units = Units.all
    let loader = ModelLoader()

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

    /// Lists the models and, unless loading one ended the app the last time, chooses the first.
    func start() {
        crashed = loader.breadcrumb.leftover
        refresh()
        if crashed == nil, selection == nil { selection = models.first?.id }
    }

    /// Reads the model folders anew.
    func refresh() {
        var found = ModelImporter.imported()
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
        if selection == nil { selection = models.first?.id }
    }

    /// Copies an exported folder into the app and chooses it.
    func importModel(from folder: URL) async {
        do {
            let model = try await Task.detached { try ModelImporter.importModel(from: folder) }.value
            refresh()
            selection = model.id
        } catch {
            problem = "\(error)"
        }
    }
}
#endif
