/// A loaded model that classifies a camera's frames and photos.
///
/// The one place where it matters what runs a model: Core ML does today. Whatever else a system brings is another
/// conformance, made where models are loaded, and neither the camera nor a screen changes.
public protocol FrameClassifier<Frame>: ImageClassifier, AnyObject, Sendable {
    /// A frame as the camera hands it over.
    associatedtype Frame

    /// The classes of an upright frame of any size, best first, with the time of each stage.
    func classify(_ frame: Frame) throws -> FrameClassification
    /// The classes of an image of any size, best first, with the time of each stage.
    func classify(_ image: RGBImage, orientation: ImageOrientation) throws -> FrameClassification
    /// What the model sees of an image: its input, for showing.
    func input(of image: RGBImage, orientation: ImageOrientation) throws -> RGBImage
}
