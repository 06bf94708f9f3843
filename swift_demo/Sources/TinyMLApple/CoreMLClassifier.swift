#if canImport(CoreML)
import CoreML
import CoreVideo
import Foundation
import TinyMLCore
import os

/// A loaded Core ML classifier with the input buffer that it uses again and again.
///
/// Its mutable state is guarded by a lock, so it may be handed between queues; predictions run one at a time.
public final class CoreMLClassifier: FrameClassifier, @unchecked Sendable {
    private let model: MLModel
    private let inputName: String
    private let probabilitiesName: String
    private let buffer: CVPixelBuffer
    private let features: MLDictionaryFeatureProvider
    private let lock = NSLock()
    private var preprocessor: Preprocessor
    private let clock = SystemClock()
    private let signposter = OSSignposter(subsystem: "TinyMLDemo", category: "Classifier")

    /// Loads a compiled model. Takes long at the first time on a device: call it from a queue of its own.
    ///
    /// - Throws: `AppleError.notAClassifier`, or what Core ML throws.
    public init(compiled: URL, name: String, units: Units, preprocess: Preprocess) throws {
        let configuration = MLModelConfiguration()
        configuration.computeUnits = units.coreML
        model = try MLModel(contentsOf: compiled, configuration: configuration)
        let description = model.modelDescription
        guard let input = description.inputDescriptionsByName.first(where: { $0.value.type == .image })?.key,
            let probabilities = description.predictedProbabilitiesName
        else { throw AppleError.notAClassifier(name: name) }
        inputName = input
        probabilitiesName = probabilities
        let side = preprocess.inputSize
        buffer = try PixelBufferBridge.makeBuffer(width: side, height: side)
        features = try MLDictionaryFeatureProvider(dictionary: [input: MLFeatureValue(pixelBuffer: buffer)])
        preprocessor = Preprocessor(preprocess)
    }

    /// The classes of an image that already has the model's input size.
    public func predictions(for image: RGBImage) throws -> [Prediction] {
        try lock.withLock {
            try PixelBufferBridge.write(image, to: buffer)
            return try predictions(in: predict())
        }
    }

    /// The best classes of a camera's frame, with the time of each stage.
    public func classify(_ frame: CVPixelBuffer) throws -> FrameClassification {
        try lock.withLock {
            try timed { try PixelBufferBridge.withSource(frame) { preprocessor.input(from: $0) } }
        }
    }

    /// The best classes of an image of any size, with the time of each stage.
    public func classify(_ image: RGBImage, orientation: ImageOrientation) throws -> FrameClassification {
        try lock.withLock {
            try timed { try image.withSource { preprocessor.input(from: $0, orientation: orientation) } }
        }
    }

    /// What the model sees of an image: its input, for showing.
    public func input(of image: RGBImage, orientation: ImageOrientation) throws -> RGBImage {
        try lock.withLock { try image.withSource { preprocessor.input(from: $0, orientation: orientation) } }
    }

    private func timed(_ makeInput: () throws -> RGBImage) throws -> FrameClassification {
        let start = clock.now
        try signposter.withIntervalSignpost("preprocess") {
            try PixelBufferBridge.write(makeInput(), to: buffer)
        }
        let made = clock.now
        let output = try signposter.withIntervalSignpost("predict") { try predict() }
        let predicted = clock.now
        let sorted = try predictions(in: output).top(.max)
        let times = StageTimes(
            preprocess: made - start, predict: predicted - made, postprocess: clock.now - predicted)
        return FrameClassification(predictions: sorted, times: times)
    }

    /// Makes the input of a benchmark's camera frame.
    func prepare(_ frame: CVPixelBuffer) throws {
        try lock.withLock {
            let input = try PixelBufferBridge.withSource(frame) { preprocessor.input(from: $0) }
            try PixelBufferBridge.write(input, to: buffer)
        }
    }

    /// Runs the model on what `prepare` made.
    func run() throws -> any MLFeatureProvider {
        try lock.withLock { try predict() }
    }

    /// The best classes in the model's answer.
    func top(in output: any MLFeatureProvider) throws -> [Prediction] {
        try predictions(in: output).top(5)
    }

    private func predict() throws -> any MLFeatureProvider {
        try model.prediction(from: features)
    }

    private func predictions(in output: any MLFeatureProvider) throws -> [Prediction] {
        guard let values = output.featureValue(for: probabilitiesName)?.dictionaryValue, !values.isEmpty else {
            throw AppleError.missingOutput(name: probabilitiesName)
        }
        return values.map { Prediction(label: "\($0.key)", probability: $0.value.doubleValue) }
    }
}
#endif
