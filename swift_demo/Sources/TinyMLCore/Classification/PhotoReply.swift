/// What is said of a photo to somebody who may not look at the screen.
public struct PhotoReply: Hashable, Sendable {
    /// The class, for the next action of a shortcut; nil where none is sure enough.
    public let label: String?
    /// One sentence to be spoken or shown.
    public let sentence: Phrase

    public init(_ predictions: [Prediction], threshold: Double) {
        let names = ClassNames(of: predictions.top(5))
        switch Verdict(predictions, threshold: threshold) {
        case .sure(let best):
            let name = names[best.label].short
            label = name
            sentence = Phrase("%@, %@ percent", name, Self.percent(best))
        case .unsure(let best):
            label = nil
            sentence =
                best.map { Phrase("Unsure, perhaps %@, %@ percent", names[$0.label].short, Self.percent($0)) }
                ?? "Unsure"
        }
    }

    private static func percent(_ best: Prediction) -> String { "\(Int((best.probability * 100).rounded()))" }
}

/// Why a photo cannot be asked about.
public enum PhotoQuestionError: Equatable, Sendable, ExplainedError {
    case noModel

    public var phrase: Phrase { "there is no model in the app: bring one in under Models" }
}
