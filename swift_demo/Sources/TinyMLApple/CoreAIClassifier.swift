#if canImport(CoreML) && canImport(CoreAI) && !(canImport(AppKit) && arch(x86_64))
import CoreAI
import CoreVideo
import Foundation
import TinyMLCore

/// A loaded Core AI classifier: one function "main" from an image, [1, 3, side, side], red, green, blue from 0 to 255, to
/// the probabilities of all classes, [1, classes], both float32. Colors are normalized inside, as in packages of Core
/// ML; the labels are the manifest's, since a Core AI model has none.
///
/// Its mutable state is guarded by a lock, so it may be handed between queues; predictions run one at a time. Core AI
/// answers asynchronously, and every caller waits on a queue of its own.
@available(iOS 27.0, macOS 27.0, *)
public final class CoreAIClassifier: FrameClassifier, @unchecked Sendable {
    private let function: InferenceFunction
    private let inputName: String
    private let outputName: String
    private let shape: [Int]
    private let labels: [String]
    private let lock = NSLock()
    private var preprocessor: Preprocessor
    private let clock = SystemClock()

    /// Loads a model, and specializes it for this device where that was not done before. Blocks: call it on a
    /// `WorkQueue`.
    ///
    /// - Throws: `AppleError.notAClassifier`, or what Core AI throws.
    public init(contentsOf file: URL, name: String, units: Units, preprocess: Preprocess, labels: [String]) throws {
        let loaded = try Blocking.value { () -> InferenceFunction? in
            try await AIModel(contentsOf: file, options: units.coreAI).loadFunction(named: "main")
        }
        let shape = [1, 3, preprocess.inputSize, preprocess.inputSize]
        guard let function = loaded, function.descriptor.inputNames.count == 1,
            function.descriptor.outputNames.count == 1, let input = function.descriptor.inputNames.first,
            let output = function.descriptor.outputNames.first,
            case .ndArray(let taken) = function.descriptor.inputDescriptor(of: input), taken.shape == shape,
            taken.scalarType == .float32,
            case .ndArray(let given) = function.descriptor.outputDescriptor(of: output),
            given.shape == [1, labels.count], given.scalarType == .float32
        else { throw AppleError.notAClassifier(name: name) }
        self.function = function
        self.shape = shape
        self.labels = labels
        (inputName, outputName) = (input, output)
        preprocessor = Preprocessor(preprocess)
    }

    public func predictions(for image: RGBImage) throws -> [Prediction] {
        try lock.withLock { try predict(image.planar) }
    }

    public func classify(_ frame: CVPixelBuffer) throws -> FrameClassification {
        try lock.withLock { try timed { try PixelBufferBridge.withSource(frame) { preprocessor.input(from: $0) } } }
    }

    public func classify(_ image: RGBImage, orientation: ImageOrientation) throws -> FrameClassification {
        try lock.withLock {
            try timed { try image.withSource { preprocessor.input(from: $0, orientation: orientation) } }
        }
    }

    public func input(of image: RGBImage, orientation: ImageOrientation) throws -> RGBImage {
        try lock.withLock { try image.withSource { preprocessor.input(from: $0, orientation: orientation) } }
    }

    private func timed(_ makeInput: () throws -> RGBImage) throws -> FrameClassification {
        let start = clock.now
        let pixels = try makeInput().planar
        let made = clock.now
        let answer = try predict(pixels)
        let predicted = clock.now
        let sorted = answer.top(.max)
        let times = StageTimes(
            preprocess: made - start, predict: predicted - made, postprocess: clock.now - predicted)
        return FrameClassification(predictions: sorted, times: times)
    }

    private func predict(_ pixels: [Float]) throws -> [Prediction] {
        let scores = try Blocking.value { [function, inputName, outputName, shape] in
            var outputs = try await function.run(inputs: [inputName: NDArray(scalars: pixels, shape: shape)])
            guard let value = outputs.remove(outputName), let answer = value.ndArray else {
                throw AppleError.missingOutput(name: outputName)
            }
            return Self.lastRow(of: answer)
        }
        guard let predictions = [Prediction](scores, labels: labels) else {
            throw AppleError.missingOutput(name: outputName)
        }
        return predictions
    }

    /// The numbers along the last dimension, which may lie apart.
    private static func lastRow(of array: NDArray) -> [Float] {
        array.view(as: Float.self).withUnsafePointer { pointer, shape, strides -> [Float] in
            var row: [Float] = []
            guard shape.count > 0 else { return row }
            let (count, step) = (shape[shape.count - 1], strides[strides.count - 1])
            var index = 0
            while index < count {
                row.append(pointer[index * step])
                index += 1
            }
            return row
        }
    }
}

@available(iOS 27.0, macOS 27.0, *)
extension Units {
    /// Core AI's options for these compute units: but for the CPU alone, a preference.
    fileprivate var coreAI: SpecializationOptions {
        switch self {
        case .cpuOnly, .cpu: .cpuOnly
        case .cpuAndGPU: SpecializationOptions(preferredComputeUnitKind: .gpu)
        case .cpuAndNeuralEngine: SpecializationOptions(preferredComputeUnitKind: .neuralEngine)
        case .all, .coreml, .mps, .cuda: .default
        }
    }
}
#endif
