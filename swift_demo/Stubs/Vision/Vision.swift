import CoreML
import CoreVideo
import Foundation

/// https://developer.apple.com/documentation/vision/vnrequest
public class VNRequest: NSObject {
    /// https://developer.apple.com/documentation/vision/vnrequest/results
    public var results: [VNObservation]? { stub() }
}

/// https://developer.apple.com/documentation/vision/vnimagebasedrequest
public class VNImageBasedRequest: VNRequest {}

/// https://developer.apple.com/documentation/vision/vncoremlrequest
public class VNCoreMLRequest: VNImageBasedRequest {
    /// https://developer.apple.com/documentation/vision/vncoremlrequest/init(model:)
    public init(model: VNCoreMLModel) { stub() }
    /// https://developer.apple.com/documentation/vision/vncoremlrequest/imagecropandscaleoption
    public var imageCropAndScaleOption: VNImageCropAndScaleOption {
        get { stub() }
        set { stub() }
    }
}

/// https://developer.apple.com/documentation/vision/vnimagecropandscaleoption
public enum VNImageCropAndScaleOption: UInt, Sendable {
    case centerCrop
    case scaleFit
    case scaleFill
}

/// https://developer.apple.com/documentation/vision/vncoremlmodel
public class VNCoreMLModel: NSObject {
    /// https://developer.apple.com/documentation/vision/vncoremlmodel/init(for:)
    public convenience init(for model: MLModel) throws { stub() }
}

/// https://developer.apple.com/documentation/vision/vnobservation
public class VNObservation: NSObject {
    /// https://developer.apple.com/documentation/vision/vnobservation/confidence
    public var confidence: Float { stub() }
}

/// https://developer.apple.com/documentation/vision/vnclassificationobservation
public class VNClassificationObservation: VNObservation {
    /// https://developer.apple.com/documentation/vision/vnclassificationobservation/identifier
    public var identifier: String { stub() }
}

/// https://developer.apple.com/documentation/vision/vnimageoption
public struct VNImageOption: RawRepresentable, Hashable, Sendable {
    /// https://developer.apple.com/documentation/vision/vnimageoption
    public let rawValue: String
    /// https://developer.apple.com/documentation/vision/vnimageoption/init(rawvalue:)
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// https://developer.apple.com/documentation/vision/vnimagerequesthandler
public class VNImageRequestHandler: NSObject {
    /// https://developer.apple.com/documentation/vision/vnimagerequesthandler/init(cvpixelbuffer:options:)
    public init(cvPixelBuffer pixelBuffer: CVPixelBuffer, options: [VNImageOption: Any] = [:]) { stub() }
    /// https://developer.apple.com/documentation/vision/vnimagerequesthandler/perform(_:)
    public func perform(_ requests: [VNRequest]) throws { stub() }
}
