/// The models screen: every model with its size and accuracy, the compute units, and the way to bring in more.
public struct ModelsScreen: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        case choose(InstalledModel.ID)
        case use(Units)
        case importFile
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
    /// Nil until it is counted.
    public var storage: StorageUse?

    public init() {}

    public func content(_ formats: Formats = Formats()) -> Screen<Action> {
        Screen(
            "Models",
            [
                ScreenSection(.choice, title: "Model", models.map { row($0, formats) } + chosen),
                ScreenSection(
                    .units, title: "Compute units",
                    [
                        .choice(
                            "Allowed",
                            Units.coreMLUnits.map { .init(.verbatim($0.title), .use($0), isChosen: $0 == units) }),
                        .note("A permission: where each operation really runs, the system decides."),
                        models.contains { $0.id == selection } ? .slot(.computePlan, "Compute plan") : nil,
                    ]),
                refused.isEmpty
                    ? nil
                    : ScreenSection(
                        .refused, title: "Cannot be used",
                        refused.flatMap { refusal -> [ScreenItem<Action>?] in
                            [
                                .row(title: refusal.folder, detail: refusal.reason, isChosen: false, action: nil),
                                discardable.contains(refusal.id)
                                    ? .button("Delete", .discard(refusal.id), symbol: "trash", role: .destructive)
                                    : nil,
                            ]
                        }),
                ScreenSection(
                    .more, title: "More models",
                    [.button("Import a folder, package or zip", .importFile, symbol: "square.and.arrow.down")]),
                storage.map { use in
                    ScreenSection(
                        .storage, title: "Storage",
                        [
                            .value("Models brought in", formats.megabytes(use.imported)),
                            .value("Compiled for this device", formats.megabytes(use.compiled)),
                            .value("Results", formats.megabytes(use.records)),
                        ])
                },
            ])
    }

    /// What concerns the chosen model alone.
    private var chosen: [ScreenItem<Action>?] {
        guard let model = models.first(where: { $0.id == selection }) else { return [] }
        return [
            model.facts.isPreprocessKnown
                ? nil : .note("Nothing says how images were prepared: a centered square is assumed."),
            deletable.contains(model.id)
                ? .button("Delete the chosen model", .delete(model.id), symbol: "trash", role: .destructive) : nil,
        ]
    }

    private func row(_ model: InstalledModel, _ formats: Formats) -> ScreenItem<Action> {
        let accuracy = model.facts.verification.map { "top-1 \(formats.percent($0.artifact.top1))" }
        let facts = [formats.megabytes(model.facts.bytes), accuracy, model.facts.data].compactMap { $0 }
        return .row(
            title: model.title, detail: facts.joined(separator: ", "), isChosen: model.id == selection,
            action: .choose(model.id))
    }
}

/// Which device the system prefers for each operation.
public enum ComputePlanScreen: Hashable, Sendable {
    /// Nothing can be done on it.
    public typealias Action = Never

    case loading
    /// The system is too old to tell, or the model is no ML Program.
    case absent
    case plan(ComputePlanSummary)
    case failed(String)

    public func content(_ formats: Formats = Formats()) -> Screen<Action> {
        switch self {
        case .loading:
            Screen("Compute plan", only: .progress("Asking the system"))
        case .absent:
            Screen(
                "Compute plan",
                only: .unavailable(
                    "No compute plan", symbol: "questionmark.circle",
                    detail: "The system tells it from iOS 17.4 and macOS 14.4 on, for ML Programs."))
        case .failed(let reason):
            Screen(
                "Compute plan",
                only: .unavailable(
                    "No compute plan", symbol: "exclamationmark.triangle", detail: .verbatim(reason)))
        case .plan(let plan):
            Screen(
                "Compute plan",
                [
                    ScreenSection(
                        .summary, title: "Operations by preferred device",
                        ComputeDevice.allCases.map {
                            .value(.verbatim($0.title), formats.count(plan.count(on: $0)))
                        }),
                    ScreenSection(
                        .list, title: "In order",
                        plan.operations.map { .value(.verbatim($0.name), told($0, formats)) }),
                ])
        }
    }

    private func told(_ operation: PlannedOperation, _ formats: Formats) -> String {
        [operation.device.title, operation.cost.map(formats.percent)].compactMap { $0 }.joined(separator: ", ")
    }
}
