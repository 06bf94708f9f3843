/// Where the chosen model stands.
public enum LoadStage: Hashable, Sendable {
    case none
    case loading
    case ready
    case failed(Phrase)

    /// What a screen that needs the model shows instead of itself; nil once the model is ready.
    func obstacle<Action>() -> ScreenItem<Action>? {
        switch self {
        case .ready: nil
        case .none:
            .unavailable("No model chosen", symbol: "shippingbox", detail: "Choose one under Models.")
        case .loading:
            .progress("Preparing the model", detail: "The first time on a device this can take a minute.")
        case .failed(let reason):
            .unavailable("The model cannot be used", symbol: "exclamationmark.triangle", detail: reason)
        }
    }
}

/// The screens in the order of their tabs.
public enum AppTab: String, CaseIterable, Hashable, Sendable, Identifiable {
    case camera, photo, models, benchmark, checks

    public var id: Self { self }

    public var title: Phrase {
        switch self {
        case .camera: "Camera"
        case .photo: "Photo"
        case .models: "Models"
        case .benchmark: "Benchmark"
        case .checks: "Checks"
        }
    }

    public var symbol: String {
        switch self {
        case .camera: "camera"
        case .photo: "photo"
        case .models: "shippingbox"
        case .benchmark: "stopwatch"
        case .checks: "checkmark.seal"
        }
    }
}

/// What is told over every screen; one alert at a time.
public enum AppAlert: Hashable, Sendable {
    case crashed(LoadBreadcrumb.Content)
    case problem(Phrase)

    public enum Action: Hashable, Sendable { case retryOnCPU, goOn, dismiss }

    public var screen: Screen<Action> {
        switch self {
        case .crashed(let content):
            Screen(
                "The app ended while loading a model",
                [
                    ScreenSection(
                        .summary,
                        [
                            .text(.verbatim("\(content.name), \(content.units.title)")),
                            .button("Try again on the CPU", .retryOnCPU),
                            .button("Go on", .goOn, role: .cancel),
                        ])
                ])
        case .problem(let sentence):
            Screen(
                "Something went wrong",
                [ScreenSection(.summary, [.text(sentence), .button("OK", .dismiss, role: .cancel)])])
        }
    }
}
