/// Replays a golden image: the same pixels must give the same probabilities here as where the model was verified.
///
/// An app that feeds blue as red still names most things right, so the channel order is tested by itself: the image
/// with red and blue exchanged must fit the expectation worse than the image as it is.
public struct SelfTest: Sendable {
    /// What a test found, with one sentence for the user.
    public struct Finding: Hashable, Sendable {
        public enum Verdict: Hashable, Sendable { case passed, failed, undecided }

        public let name: String
        public let verdict: Verdict
        public let sentence: String

        /// The same finding of another test.
        public func renamed(_ name: String) -> Finding {
            Finding(name: name, verdict: verdict, sentence: sentence)
        }
    }

    public let golden: Golden

    public init(golden: Golden) {
        self.golden = golden
    }

    /// Both findings, the golden image first.
    ///
    /// - Throws: what the classifier throws.
    public func run(image: RGBImage, classifier: any ImageClassifier) throws -> [Finding] {
        let found = try classifier.predictions(for: image)
        let swapped = try classifier.predictions(for: image.redAndBlueSwapped)
        return [goldenFinding(found), channelFinding(difference(found), difference(swapped))]
    }

    private func goldenFinding(_ found: [Prediction]) -> Finding {
        let largest = difference(found)
        let measured = "largest difference \(rounded(largest)), allowed \(rounded(golden.tolerance))"
        guard let best = found.top(1).first, let expected = golden.labels.first else {
            return Finding(name: "golden image", verdict: .failed, sentence: "The model named no class.")
        }
        if largest > golden.tolerance {
            let sentence = "The model says \(best.label), expected is \(expected): \(measured)."
            return Finding(name: "golden image", verdict: .failed, sentence: sentence)
        }
        return Finding(name: "golden image", verdict: .passed, sentence: "The model says \(best.label): \(measured).")
    }

    private func channelFinding(_ straight: Double, _ swapped: Double) -> Finding {
        let measured = "difference \(rounded(straight)) as it is, \(rounded(swapped)) with red and blue exchanged"
        let (verdict, sentence): (Finding.Verdict, String) =
            if abs(straight - swapped) <= golden.tolerance {
                (.undecided, "This image cannot tell red from blue: \(measured).")
            } else if swapped < straight {
                (.failed, "Red and blue arrive exchanged: \(measured).")
            } else {
                (.passed, "Red is red and blue is blue: \(measured).")
            }
        return Finding(name: "channel order", verdict: verdict, sentence: sentence)
    }

    /// The largest absolute difference of the expected classes' probabilities; a class that is missing counts as 0.
    private func difference(_ found: [Prediction]) -> Double {
        let byLabel = Dictionary(found.map { ($0.label, $0.probability) }, uniquingKeysWith: { first, _ in first })
        return zip(golden.labels, golden.probabilities).map { abs((byLabel[$0] ?? 0) - $1) }.max() ?? .infinity
    }

    private func rounded(_ value: Double) -> String {
        value.isFinite ? "\((value * 10_000).rounded() / 10_000)" : "unbounded"
    }
}
