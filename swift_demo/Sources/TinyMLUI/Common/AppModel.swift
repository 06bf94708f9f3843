#if canImport(SwiftUI)
import Foundation
import Observation
import TinyMLApple
import TinyMLCore

/// What all windows and screens share: the models, the choice among them, and the loaded classifier.
///
/// One for the whole app. Loading belongs to it and to no window, so a window that is closed ends none.
@MainActor
@Observable
public final class AppModel {
    private(set) var models: [InstalledModel] = []
    private(set) var refused: [ModelCatalog.Refusal] = []
    /// The chosen model.
    private let chosen = LoadSlot<LoadedClassifier>()
    /// The second model, that is shown beside the chosen one on the camera screen.
    private let second = LoadSlot<LoadedClassifier>()
    /// How often the camera was asked for from outside; windows that see it change show the camera.
    private(set) var cameraRequests = 0
    /// Whether a model is being copied or fetched.
    private(set) var isTakingIn = false
    /// A model whose loading ended the app the last time.
    private(set) var crashed: LoadBreadcrumb.Content?
    /// Why the model folder or an import could not be read.
    var problem: Phrase?
    /// The chosen model; nil until the models are listed, and while a crash is to be talked about.
    var selection: InstalledModel.ID? {
        didSet {
            if let selection { choices.model = selection }
            if selection != oldValue {
                reload()
                reloadBeside()
            }
        }
    }
    var units: Units {
        didSet {
            choices.units = units
            if units != oldValue {
                reload()
                reloadBeside()
            }
        }
    }
    /// What the user chose, the last time or just now.
    var choices: Choices { didSet { if choices != oldValue { keepChoices() } } }
    @ObservationIgnored private let choiceFile = ChoiceFile(folder: AppFolders.support)
    let benchmark = BenchmarkModel()
    @ObservationIgnored let loader = ModelLoader()
    @ObservationIgnored let activity = AppActivity()
    @ObservationIgnored private var hasStarted = false

    public init() {
        let kept = choiceFile.read(isSimulator: DeviceConditions().isSimulator)
        choices = kept
        units = kept.units
        _ = NotificationCenter.default.addObserver(forName: Self.showCamera, object: nil, queue: .main) {
            [weak self] _ in
            MainActor.assumeIsolated { self?.cameraRequests += 1 }
        }
    }

    /// Posted where the camera is asked for from outside the app's windows.
    public static let showCamera = Notification.Name("org.tinyml.demo.show-camera")

    var state: LoadState<LoadedClassifier> { chosen.state }
    var beside: LoadState<LoadedClassifier> { second.state }

    var selected: InstalledModel? { models.first { $0.id == selection } }

    /// What is told over the screens; one alert at a time.
    var alert: AppAlert? { crashed.map(AppAlert.crashed) ?? problem.map(AppAlert.problem) }

    /// Tells the app whether any of its windows is in front.
    public func isInBackground(_ isInBackground: Bool) { activity.isInBackground = isInBackground }

    /// Lists the models and, unless loading one ended the app the last time, takes up the one chosen last. Every window
    /// asks for it, and the first one gets it.
    func start() {
        guard !hasStarted else { return }
        hasStarted = true
        crashed = loader.breadcrumb.leftover
        refresh()
        if crashed == nil, selection == nil { selection = choices.selection(among: models) }
    }

    /// Reads the model folders anew, and drops what was compiled of models that are gone.
    func refresh() {
        var found = ModelImporter.library.contents()
        do {
            if let folder = AppFolders.bundled {
                let bundled = try ModelCatalog(folder: folder)
                found.models = bundled.models + found.models
                found.refused = bundled.refused + found.refused
            }
        } catch {
            problem = Phrase(of: error)
        }
        var seen: Set<InstalledModel.ID> = []
        models = found.models.filter { seen.insert($0.id).inserted }
        refused = found.refused
        loader.keepCompiled(only: models)
    }

    func perform(_ action: AppAlert.Action) {
        switch action {
        case .retryOnCPU: retryOnCPU()
        case .goOn: dismissCrash()
        case .dismiss: problem = nil
        }
    }

    /// Brings a model in and chooses it: an exported folder, an `.mlpackage` or a zip archive of either.
    func importModel(from url: URL) async { await takeIn { try await loader.importModel(from: url) } }

    /// Fetches a zip archive of a model from the web, brings it in and chooses it.
    func importModel(fromAddress text: String) async {
        await takeIn { try await ModelImporter.importModel(fromAddress: text) }
    }

    /// Compares the chosen model with another one on the same frames; nil with none.
    func compare(with model: InstalledModel.ID?) {
        choices.beside = model
        reloadBeside()
    }

    /// Loads the second model, if one is chosen and there.
    private func reloadBeside() {
        guard let model = choices.comparison(among: models, with: selection), selection != nil else {
            return second.clear()
        }
        second.load { [loader, units] in try await loader.classifier(for: model, units: units) }
    }

    /// The refused folders that were brought in, and so may be deleted.
    var discardable: Set<ModelCatalog.Refusal.ID> {
        Set(ModelImporter.library.contents().refused.map(\.id))
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

    private func takeIn(_ work: () async throws -> InstalledModel) async {
        isTakingIn = true
        defer { isTakingIn = false }
        do {
            let model = try await work()
            refresh()
            selection = model.id
        } catch {
            problem = Phrase(of: error)
        }
    }

    private func change(_ work: () throws -> Void) {
        do { try work() } catch { problem = Phrase(of: error) }
        refresh()
        if selected == nil { selection = choices.selection(among: models) }
        reloadBeside()
    }

    private func keepChoices() {
        do { try choiceFile.write(choices) } catch { problem = Phrase(of: error) }
    }

    /// Loads the chosen model for the chosen compute units.
    private func reload() {
        guard let model = selected else { return chosen.clear() }
        chosen.load { [loader, units] in try await loader.classifier(for: model, units: units) }
    }

    /// Takes up the model that ended the app, on the CPU, where no driver can fail.
    private func retryOnCPU() {
        units = .cpuOnly
        selection = models.first { $0.id == crashed?.artifactSHA256 }?.id ?? models.first?.id
        dismissCrash()
    }

    /// Goes on as if nothing had happened.
    private func dismissCrash() {
        loader.breadcrumb.forgetLeftovers()
        crashed = nil
        if selection == nil { selection = choices.selection(among: models) }
    }
}
#endif
