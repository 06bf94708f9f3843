/// Replays a golden image: the same pixels must give the same probabilities here as where the model was verified.
///
/// An app that feeds blue as red still names most things right, so the channel order is tested by itself: the image
/// with red and blue exchanged must fit the expectation worse than the image as it is.
public struct SelfTest: Sendable {
    /// What a test found, with one sentence for the user.
    public struct Finding: Hashable, Sendable {
        public enum Verdict: Hashable, Sendable { case passed, failed, undecided }

        public let name: Phrase
        public let verdict: Verdict
        public let sentence: Phrase

        /// The same finding of another test.
        public func renamed(_ name: Phrase) -> Finding {
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

    private func goldenFinding(_ predictions: [Prediction]) -> Finding {
        let largest = difference(predictions)
        let (found, allowed) = (rounded(largest), rounded(golden.tolerance))
        guard let best = predictions.top(1).first, let expected = golden.labels.first else {
            return Finding(name: "golden image", verdict: .failed, sentence: "The model named no class.")
        }
        if largest > golden.tolerance {
            let sentence = Phrase(
                "The model says %@, expected is %@: largest difference %@, allowed %@.", ClassName(best.label).short,
                ClassName(expected).short, found,
                allowed)
            return Finding(name: "golden image", verdict: .failed, sentence: sentence)
        }
        let sentence = Phrase(
            "The model says %@: largest difference %@, allowed %@.", ClassName(best.label).short, found, allowed)
        return Finding(name: "golden image", verdict: .passed, sentence: sentence)
    }

    private func channelFinding(_ straight: Double, _ swapped: Double) -> Finding {
        let (asItIs, exchanged) = (rounded(straight), rounded(swapped))
        let (verdict, told): (Finding.Verdict, Phrase) =
            if abs(straight - swapped) <= golden.tolerance {
                (.undecided, "This image cannot tell red from blue.")
            } else if swapped < straight {
                (.failed, "Red and blue arrive exchanged.")
            } else {
                (.passed, "Red is red and blue is blue.")
            }
        let measured = Phrase("Difference as it is: %@, with red and blue exchanged: %@.", asItIs, exchanged)
        return Finding(name: "channel order", verdict: verdict, sentence: .sentences([told, measured]))
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
