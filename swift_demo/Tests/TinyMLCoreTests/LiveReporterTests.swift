import Foundation
import Testing

@testable import TinyMLCore

struct LiveReporterTests {
    private func frame(_ probabilities: [String: Double], predict: Int = 1_000_000) -> FrameClassification {
        FrameClassification(
            predictions: probabilities.map { Prediction(label: $0.key, probability: $0.value) }.top(.max),
            times: StageTimes(preprocess: 0, predict: predict, postprocess: 0))
    }

    @Test func belowTheThresholdNothingIsTold() {
        let predictions = [Prediction(label: "a", probability: 0.4), Prediction(label: "b", probability: 0.5)]
        #expect(Verdict(predictions, threshold: 0.5) == .sure(predictions[1]))
        #expect(Verdict(predictions, threshold: 0.51) == .unsure(predictions[1]))
        #expect(Verdict([], threshold: 0) == .unsure(nil))
    }

    @Test func smoothingFadesByTimeNotByNumberOfFrames() {
        let (one, zero) = ([Prediction(label: "a", probability: 1)], [Prediction(label: "a", probability: 0)])
        for rate in [1, 10, 100] {
            var smoother = FrameSmoother(timeConstant: 1000)
            var last = smoother.add(one, at: 0)
            #expect(last == one)
            for step in 1...rate { last = smoother.add(zero, at: 1000 * step / rate) }
            #expect(abs(last[0].probability - exp(-1)) < 1e-9)
        }
    }

    @Test func withoutSmoothingTheNewestFrameCounts() {
        var smoother = FrameSmoother(timeConstant: 0)
        _ = smoother.add([Prediction(label: "a", probability: 1)], at: 0)
        let last = smoother.add([Prediction(label: "b", probability: 1)], at: 1).top(1)
        #expect(last == [Prediction(label: "b", probability: 1)])
    }

    @Test func oneOddFrameChangesNoAnswer() throws {
        var reporter = LiveReporter(smoothing: 300_000_000)
        let steady = frame(["cat": 0.9, "dog": 0.1])
        let odd = frame(["cat": 0, "dog": 1])
        for number in 0..<30 { _ = reporter.frame(arrival: number * 100_000_000, steady) }
        let during = reporter.frame(arrival: 3_000_000_000, odd)
        let update = try #require(during)
        #expect(update.top.first?.label == "cat")
        let after = reporter.frame(arrival: 3_100_000_000, steady)
        let later = try #require(after)
        guard case .sure(let best) = Verdict(later.top, threshold: 0.5) else { throw CameraProblem.session("unsure") }
        #expect(best.label == "cat")
    }

    @Test func theScreenIsToldTenTimesASecondAtMost() {
        var reporter = LiveReporter()
        let told = (0..<60).filter { reporter.frame(arrival: $0 * 16_666_667, frame(["a": 1])) != nil }
        #expect(told.count == 10)
    }

    @Test func twoModelsAreComparedOnTheSameFrames() throws {
        var reporter = LiveReporter()
        _ = reporter.frame(
            arrival: 0, frame(["a": 0.75, "b": 0.25]), other: frame(["a": 0.5, "b": 0.5], predict: 3_000_000))
        let update = reporter.frame(
            arrival: 200_000_000, frame(["a": 0.75, "b": 0.25]), other: frame(["a": 0, "b": 1], predict: 3_000_000))
        let other = try #require(update?.other)
        let agreement = other.agreement
        #expect((agreement.frames, agreement.sameClass) == (2, 0.5))
        #expect(abs(agreement.meanDifference - 0.5) < 1e-12)
        #expect((agreement.first.p50, agreement.second.p50) == (1, 3))
        // Smoothed like the first model's answer: the frame before still counts.
        #expect(other.top.map(\.label) == ["b", "a"])
        #expect(other.top[0].probability > 0.5 && other.top[0].probability < 1)
        var alone = LiveReporter()
        let single = alone.frame(arrival: 0, frame(["a": 1]))
        #expect(single != nil)
        #expect(single?.other == nil)
    }
}
