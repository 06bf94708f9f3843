/// Which device the system prefers for each operation.
public enum ComputePlanScreen: Hashable, Sendable {
    /// Nothing can be done on it.
    public typealias Action = Never

    case loading
    /// The system is too old to tell, or the model is no ML Program.
    case absent
    case plan(ComputePlanSummary)
    case failed(Phrase)

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
                    "No compute plan", symbol: "exclamationmark.triangle", detail: reason))
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
