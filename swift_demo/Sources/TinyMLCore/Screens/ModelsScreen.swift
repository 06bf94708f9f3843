/// The models screen: every model with its size and accuracy, the compute units, and the ways to bring in more.
public struct ModelsScreen: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        case choose(InstalledModel.ID)
        case use(Units)
        case importFile, fetch
        case delete(InstalledModel.ID)
        case discard(ModelCatalog.Refusal.ID)
    }

    public var models: [InstalledModel] = []
    public var refused: [ModelCatalog.Refusal] = []
    public var selection: InstalledModel.ID?
    public var units = Units.all
    /// Models and folders that were brought in, and so may be deleted.
    public var deletable: Set<InstalledModel.ID> = []
    public var discardable: Set<ModelCatalog.Refusal.ID> = []
    /// What was typed as the address of an archive.
    public var address = ""
    /// Whether a model is being copied or fetched.
    public var isTakingIn = false
    /// Nil until it is counted.
    public var storage: StorageUse?

    public init() {}

    public func content(_ formats: Formats = Formats()) -> Screen<Action> {
        let rows: [ScreenItem<Action>?] = models.map { row($0, formats) }
        return Screen(
            "Models",
            [
                ScreenSection(.choice, title: "Model", rows + chosen), about(formats), unitsSection, refusedSection,
                more, storageSection(formats), license,
            ])
    }

    private var unitsSection: ScreenSection<Action> {
        let options = Units.coreMLUnits.map { unit in
            ScreenItem<Action>.Option(.verbatim(unit.title), .use(unit), isChosen: unit == units)
        }
        let isChosen = models.contains { $0.id == selection }
        return ScreenSection(
            .units, title: "Compute units",
            [
                .choice("Allowed", options),
                .note("A permission: where each operation really runs, the system decides."),
                isChosen ? .slot(.computePlan, "Compute plan") : nil,
            ])
    }

    private var refusedSection: ScreenSection<Action>? {
        let items = refused.flatMap { refusal -> [ScreenItem<Action>?] in
            [
                .row(title: refusal.folder, detail: refusal.reason, isChosen: false, action: nil),
                discardable.contains(refusal.id)
                    ? .button(
                        "Delete", .discard(refusal.id), symbol: "trash", role: .destructive,
                        asks: Phrase("Delete %@? It cannot be brought back.", refusal.folder)) : nil,
            ]
        }
        return items.isEmpty ? nil : ScreenSection(.refused, title: "Cannot be used", items)
    }

    private var more: ScreenSection<Action> {
        let items: [ScreenItem<Action>] = [
            .button(
                "Import a folder, package or zip", .importFile, symbol: "square.and.arrow.down", isEnabled: !isTakingIn),
            .slot(.address, "Address of a zip archive"),
            .button("Fetch from the web", .fetch, symbol: "network", isEnabled: !isTakingIn && !address.isEmpty),
        ]
        return ScreenSection(
            .more, title: "More models", items + (isTakingIn ? [.progress("Bringing the model in")] : []))
    }

    private func storageSection(_ formats: Formats) -> ScreenSection<Action>? {
        storage.map { use in
            ScreenSection(
                .storage, title: "Storage",
                [
                    .value("Models brought in", formats.megabytes(use.imported)),
                    .value("Compiled for this device", formats.megabytes(use.compiled)),
                    .value("Results", formats.megabytes(use.records)),
                ])
        }
    }

    /// What concerns the chosen model alone.
    private var chosen: [ScreenItem<Action>?] {
        guard let model = models.first(where: { $0.id == selection }) else { return [] }
        return [
            model.facts.isPreprocessKnown
                ? nil : .note("Nothing says how images were prepared: a centered square is assumed."),
            deletable.contains(model.id)
                ? .button(
                    "Delete the chosen model", .delete(model.id), symbol: "trash", role: .destructive,
                    asks: Phrase("Delete %@? It cannot be brought back.", model.title)) : nil,
        ]
    }

    /// What the chosen model can name and what it learned that from.
    private func about(_ formats: Formats) -> ScreenSection<Action>? {
        guard let facts = models.first(where: { $0.id == selection })?.facts else { return nil }
        let data = facts.data.map(TrainingData.init)
        return ScreenSection(
            .about, title: "About the model",
            [
                data.map { .labeled("Trained on", $0.title) },
                facts.labels.map { .value("Classes", formats.count($0.count)) },
                facts.labels == nil ? nil : .slot(.classes, "All classes"),
            ], remark: data == nil ? "Nothing says what it was trained on." : data?.note)
    }

    private var license: ScreenSection<Action> {
        ScreenSection(
            .summary, title: "About the app",
            [.note("The app is free software under the MIT license. Models belong to whoever made them.")])
    }

    private func row(_ model: InstalledModel, _ formats: Formats) -> ScreenItem<Action> {
        let accuracy = model.facts.verification.map { "top-1 \(formats.percent($0.artifact.top1))" }
        let facts = [formats.megabytes(model.facts.bytes), accuracy, model.facts.data].compactMap { $0 }
        return .row(
            title: model.title, detail: .list(facts.map(Phrase.verbatim)), isChosen: model.id == selection,
            action: .choose(model.id))
    }
}
