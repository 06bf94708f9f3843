import Foundation
import Observation

/// The course of the models: which there are, which is chosen and loaded, what a crash left, and what comes and goes.
///
/// One for the whole app. Loading belongs to it and to no window, so a window that is closed ends none.
@MainActor
@Observable
public final class ModelFlow<Shelf: ModelShelf> {
    public private(set) var models: [InstalledModel] = []
    public private(set) var refused: [ModelCatalog.Refusal] = []
    /// Those of the refused that were brought in, and so may be deleted.
    private var discardable: Set<ModelCatalog.Refusal.ID> = []
    /// The chosen model.
    private let chosen = LoadSlot<Shelf.Loaded>()
    /// The second model, that is shown beside the chosen one on the camera screen.
    private let second = LoadSlot<Shelf.Loaded>()
    /// Whether a model is being copied or fetched.
    public private(set) var isTakingIn = false
    /// A model whose loading ended the app the last time.
    public private(set) var crashed: LoadBreadcrumb.Content?
    /// What could not be done, to be told over the screens.
    public var problem: Phrase?
    /// The chosen model; nil until the models are listed, and while a crash is to be talked about.
    public var selection: InstalledModel.ID? {
        didSet {
            if let selection { choices.model = selection }
            if selection != oldValue {
                reload()
                reloadBeside()
            }
        }
    }
    public var units: Units {
        didSet {
            choices.units = units
            if units != oldValue {
                reload()
                reloadBeside()
            }
        }
    }
    /// What the user chose, the last time or just now.
    public var choices: Choices { didSet { if choices != oldValue { keepChoices() } } }
    @ObservationIgnored private let choiceFile: ChoiceFile
    @ObservationIgnored private let shelf: Shelf
    @ObservationIgnored private var hasStarted = false

    /// The models of `shelf`, with the choices that `choiceFile` keeps.
    public init(shelf: Shelf, choiceFile: ChoiceFile, isSimulator: Bool) {
        self.shelf = shelf
        self.choiceFile = choiceFile
        let kept = choiceFile.read(isSimulator: isSimulator)
        choices = kept
        units = kept.units
    }

    public var state: LoadState<Shelf.Loaded> { chosen.state }
    public var beside: LoadState<Shelf.Loaded> { second.state }
    public var selected: InstalledModel? { models.first { $0.id == selection } }

    /// The model that is compared with the chosen one; nil for none.
    public var compared: InstalledModel? { choices.comparison(among: models, with: selection) }

    /// What is told over the screens; one alert at a time.
    public var alert: AppAlert? { crashed.map(AppAlert.crashed) ?? problem.map(AppAlert.problem) }

    /// Lists the models and, unless loading one ended the app the last time, takes up the one chosen last. Every window
    /// asks for it, and the first one gets it.
    public func start() {
        guard !hasStarted else { return }
        hasStarted = true
        crashed = shelf.breadcrumb.leftover
        refresh()
        if crashed == nil, selection == nil { selection = choices.selection(among: models) }
    }

    /// Reads the model folders anew, and drops what was compiled of models that are gone.
    public func refresh() {
        let found = shelf.contents()
        (models, refused, discardable) = (found.models, found.refused, found.discardable)
        problem = found.problem ?? problem
        shelf.keepCompiled(only: models)
    }

    public func perform(_ action: AppAlert.Action) {
        switch action {
        case .retryOnCPU: retryOnCPU()
        case .goOn: dismissCrash()
        case .dismiss: problem = nil
        }
    }

    /// Ends the alert that is told, as if its button were tapped that changes nothing.
    public func dismissAlert() {
        switch alert {
        case .crashed: perform(.goOn)
        case .problem: perform(.dismiss)
        case nil: break
        }
    }

    /// Brings a model in and chooses it: an exported folder, an `.mlpackage` or a zip archive of either.
    public func importModel(from file: URL) async { await takeIn { try await shelf.bringIn(file) } }

    /// Fetches a zip archive of a model from the web, brings it in and chooses it.
    public func importModel(fromAddress text: String) async { await takeIn { try await shelf.fetch(text) } }

    /// Compares the chosen model with another one on the same frames; nil with none.
    public func compare(with model: InstalledModel.ID?) {
        choices.beside = model
        reloadBeside()
    }

    /// Deletes a model that was brought in, with what was compiled of it; another is chosen where it was the one.
    public func delete(_ id: InstalledModel.ID) {
        guard let model = models.first(where: { $0.id == id }) else { return }
        change {
            try shelf.library.remove(model)
            try shelf.forget(model)
        }
    }

    /// Deletes a folder that was brought in and cannot be used.
    public func discard(_ id: ModelCatalog.Refusal.ID) {
        guard let refusal = refused.first(where: { $0.id == id }) else { return }
        change { try shelf.library.remove(refusal) }
    }

    /// What the models screen shows of it.
    public func fill(_ screen: inout ModelsScreen) {
        screen.models = models
        screen.refused = refused
        screen.selection = selection
        screen.units = units
        screen.deletable = Set(models.filter(shelf.library.holds).map(\.id))
        screen.discardable = discardable
        screen.isTakingIn = isTakingIn
    }

    /// Returns once what is being loaded is there, or has failed.
    func settle() async {
        await chosen.settle()
        await second.settle()
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
        chosen.load { [shelf, units] in try await shelf.load(model, units: units) }
    }

    /// Loads the second model, if one is chosen and there.
    private func reloadBeside() {
        guard let model = compared, selection != nil else { return second.clear() }
        second.load { [shelf, units] in try await shelf.load(model, units: units) }
    }

    /// Takes up the model that ended the app, on the CPU, where no driver can fail.
    private func retryOnCPU() {
        units = .cpuOnly
        selection = models.first { $0.id == crashed?.artifactSHA256 }?.id ?? models.first?.id
        dismissCrash()
    }

    /// Goes on as if nothing had happened.
    private func dismissCrash() {
        shelf.breadcrumb.forgetLeftovers()
        crashed = nil
        if selection == nil { selection = choices.selection(among: models) }
    }
}
