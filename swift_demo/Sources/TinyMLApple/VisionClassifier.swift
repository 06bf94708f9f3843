#if canImport(CoreML)
import CoreML
import CoreVideo
import Foundation
import TinyMLCore
import Vision

/// The same model through Vision, for checking that both ways agree.
///
/// Made and used on one queue.
public final class VisionClassifier: ImageClassifier {
    private let request: VNCoreMLRequest

    /// Loads a compiled model for Vision. The crop is set explicitly: Vision's default stretches nothing but cuts.
    public init(compiled: URL, units: Units) throws {
        let configuration = MLModelConfiguration()
        configuration.computeUnits = units.coreML
        let model = try VNCoreMLModel(for: MLModel(contentsOf: compiled, configuration: configuration))
        request = VNCoreMLRequest(model: model)
        request.imageCropAndScaleOption = .centerCrop
    }

    public func predictions(for image: RGBImage) throws -> [Prediction] {
        let buffer = try PixelBufferBridge.makeBuffer(width: image.width, height: image.height)
        try PixelBufferBridge.write(image, to: buffer)
        try VNImageRequestHandler(cvPixelBuffer: buffer, options: [:]).perform([request])
        guard let observations = request.results as? [VNClassificationObservation] else {
            throw AppleError.missingOutput(name: "classification")
        }
        return observations.map { Prediction(label: $0.identifier, probability: Double($0.confidence)) }
    }
}
#endif
