import Foundation
import Testing

@testable import TinyMLCore

struct ClassificationTests {
    @Test func topIsSortedAndStable() {
        let predictions = ["b": 0.25, "a": 0.25, "c": 0.5].map { Prediction(label: $0.key, probability: $0.value) }
        #expect(predictions.top(5).map(\.label) == ["c", "a", "b"])
        #expect(predictions.top(1).map(\.label) == ["c"])
    }
}

struct ScoreTests {
    @Test func bareNumbersGetTheirLabels() {
        #expect([Prediction]([0.25, 0.75], labels: ["a", "b"])?.top(1).map(\.label) == ["b"])
        #expect([Prediction]([0.25], labels: ["a", "b"]) == nil)
        #expect([Prediction]([], labels: []) == [])
    }
}

struct SelfTestTests {
    /// Sees red images as "red" with the probability that the first pixel's red has.
    private struct RedClassifier: ImageClassifier {
        var offset = 0.0
        var swapped = false

        func predictions(for image: RGBImage) -> [Prediction] {
            let red = Double(image.bytes[swapped ? 2 : 0]) / 255 + offset
            return [Prediction(label: "red", probability: red), Prediction(label: "other", probability: 1 - red)]
        }
    }

    private let image = RGBImage(checkedWidth: 1, height: 1, bytes: [204, 10, 51])

    private func golden() throws -> Golden {
        let zeros = String(repeating: "0", count: 64)
        let json = """
            {"schema_version": "2.0", "kind": "golden", "artifact_sha256": "\(zeros)", "image": "golden.png",
             "image_sha256": "\(zeros)", "width": 1, "height": 1, "labels": ["red", "other"],
             "probabilities": [0.8, 0.2], "tolerance": 0.01, "runtime": "test",
             "provenance": {"created_at": "2026-11-23T17:05:09Z", "command": "test", "tool_version": "0"}}
            """
        return try Golden(json: Data(json.utf8), name: "golden.json")
    }

    @Test func theRightModelPasses() throws {
        let findings = try SelfTest(golden: golden()).run(image: image, classifier: RedClassifier())
        #expect(findings.map(\.verdict) == [.passed, .passed])
    }

    @Test func aWrongProbabilityFails() throws {
        let findings = try SelfTest(golden: golden()).run(image: image, classifier: RedClassifier(offset: 0.05))
        #expect(findings.map(\.verdict) == [.failed, .passed])
        #expect(
            findings[0].sentence.english
                == "The model says red, expected is red: largest difference 0.05, allowed 0.01.")
    }

    @Test func exchangedChannelsAreNamed() throws {
        let findings = try SelfTest(golden: golden()).run(image: image, classifier: RedClassifier(swapped: true))
        #expect(findings.map(\.verdict) == [.failed, .failed])
        #expect(findings[1].sentence.english.hasPrefix("Red and blue arrive exchanged. Difference as it is: 0."))
    }

    @Test func aGrayImageDecidesNothing() throws {
        let gray = RGBImage(checkedWidth: 1, height: 1, bytes: [204, 204, 204])
        let findings = try SelfTest(golden: golden()).run(image: gray, classifier: RedClassifier())
        #expect(findings.map(\.verdict) == [.passed, .undecided])
    }
}
