/// The checks screen: whether this device says what the exporter verified.
public struct ChecksScreen: Hashable, Sendable {
    public enum Action: Hashable, Sendable { case check }

    public enum Stage: Hashable, Sendable {
        case idle, running
        case findings([SelfTest.Finding])
        case failed(Phrase)
    }

    public var hasModel = false
    public var stage = Stage.idle

    public init() {}

    public func content(_ formats: Formats = Formats()) -> Screen<Action> {
        let results = results
        return Screen(
            "Checks",
            [
                ScreenSection(
                    .controls,
                    [.button("Check the model on this device", .check, isEnabled: hasModel && stage != .running)],
                    remark:
                        "Runs the image that came with the model and compares the answer with the exporter’s."),
                results.isEmpty ? nil : ScreenSection(.results, results),
            ])
    }

    private var results: [ScreenItem<Action>] {
        switch stage {
        case .idle: []
        case .running: [.progress("Checking")]
        case .failed(let reason): [.remark(reason, symbol: "exclamationmark.triangle")]
        case .findings(let findings):
            findings.isEmpty ? [.text("This model came without a golden image.")] : findings.map(told)
        }
    }

    private func told(_ finding: SelfTest.Finding) -> ScreenItem<Action> {
        let (word, symbol): (Phrase, String) =
            switch finding.verdict {
            case .passed: ("Passed", "checkmark.circle")
            case .failed: ("Failed", "xmark.circle")
            case .undecided: ("Undecided", "questionmark.circle")
            }
        return .finding(word, symbol: symbol, name: finding.name, sentence: finding.sentence)
    }
}
