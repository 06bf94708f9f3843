import Foundation
import Testing

@testable import TinyMLCore

/// A frame is a number, and a model says of it what it was told to.
private final class FakeClassifier: FrameClassifier {
    struct Refused: Error, Equatable {}

    private let answer: @Sendable (Int) throws -> [String: Double]
    private let predict: Int

    init(predict: Int = 1_000_000, _ answer: @escaping @Sendable (Int) throws -> [String: Double]) {
        self.predict = predict
        self.answer = answer
    }

    func classify(_ frame: Int) throws -> FrameClassification {
        let found = try answer(frame).map { Prediction(label: $0.key, probability: $0.value) }
        return FrameClassification(
            predictions: found.top(.max), times: StageTimes(preprocess: 0, predict: predict, postprocess: 0))
    }

    func classify(_ image: RGBImage, orientation: ImageOrientation) throws -> FrameClassification {
        try classify(Int(image.bytes[0]))
    }

    func input(of image: RGBImage, orientation: ImageOrientation) -> RGBImage { image }

    func predictions(for image: RGBImage) throws -> [Prediction] { try classify(Int(image.bytes[0])).predictions }
}

struct PipelineTests {
    private func image(_ frame: Int) throws -> RGBImage {
        try RGBImage(width: 1, height: 1, bytes: [UInt8(frame), 0, 0])
    }

    @Test func bothModelsLookAtTheSameFrame() throws {
        let even = FakeClassifier { $0.isMultiple(of: 2) ? ["even": 1] : ["odd": 1] }
        let always = FakeClassifier(predict: 3_000_000) { _ in ["even": 1] }
        var pipeline = FramePipeline(classifier: even, other: always, capture: CaptureRequest(), copy: image)
        var last: LiveUpdate?
        for frame in 0..<4 { last = try pipeline.take(frame, arrival: frame * 200_000_000).update ?? last }
        let agreement = try #require(last?.other?.agreement)
        #expect((agreement.frames, agreement.sameClass) == (4, 0.5))
        #expect((agreement.first.p50, agreement.second.p50) == (1, 3))
    }

    @Test func aPhotoIsTheFrameThatWasAskedForWithItsOwnAnswer() throws {
        let capture = CaptureRequest()
        let model = FakeClassifier { ["\($0)": 1] }
        var pipeline = FramePipeline(classifier: model, capture: capture, copy: image)
        #expect(try pipeline.take(1, arrival: 0).photo == nil)
        capture.ask()
        // The screen was told just before; the photo comes all the same.
        let (update, photo) = try pipeline.take(2, arrival: 1)
        #expect(update == nil)
        #expect(photo == CapturedPhoto(image: try image(2), predictions: [Prediction(label: "2", probability: 1)]))
        #expect(try pipeline.take(3, arrival: 2).photo == nil)
    }

    @Test func droppedFramesAreCountedAndErrorsGoOn() throws {
        let model = FakeClassifier { frame in
            if frame == 9 { throw FakeClassifier.Refused() }
            return ["a": 1]
        }
        var pipeline = FramePipeline(classifier: model, capture: CaptureRequest(), copy: image)
        pipeline.frameDropped()
        #expect(try pipeline.take(0, arrival: 0).update?.reading.droppedFrames == 1)
        #expect(throws: FakeClassifier.Refused()) { _ = try pipeline.take(9, arrival: 1) }
    }

    @Test func anyRuntimeReplaysAGoldenImage() throws {
        // What the checks and the video need of a model is part of the same seam.
        let model: any FrameClassifier<Int> = FakeClassifier { ["\($0)": 1] }
        #expect(try model.predictions(for: image(7)).first?.label == "7")
        #expect(try model.classify(image(7), orientation: .up).top.first?.label == "7")
    }
}

@MainActor
struct LoadSlotTests {
    private actor Gate {
        private var waiting: CheckedContinuation<Void, Never>?
        private var isOpen = false

        func pass() async {
            if !isOpen { await withCheckedContinuation { waiting = $0 } }
        }

        func open() {
            isOpen = true
            waiting?.resume()
            waiting = nil
        }
    }

    @Test func theNewestWishCounts() async {
        let (slot, gate) = (LoadSlot<Int>(), Gate())
        slot.load {
            await gate.pass()
            return 1
        }
        #expect(slot.state.stage == .loading)
        let early = Task { await slot.settle() }
        slot.load { 2 }
        await slot.settle()
        #expect(slot.state.loaded == 2)
        await gate.open()
        await early.value
        #expect(slot.state.loaded == 2)
        slot.clear()
        #expect(slot.state.stage == .none)
    }

    @Test func whatFailsIsToldInTheUsersLanguage() async {
        let slot = LoadSlot<Int>()
        slot.load { throw CatalogError.changed(name: "model.mlpackage") }
        await slot.settle()
        #expect(slot.state.stage == .failed(CatalogError.changed(name: "model.mlpackage").phrase))
        #expect(slot.state.loaded == nil)
    }
}
