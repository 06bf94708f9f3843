#if canImport(CoreML)
import CoreVideo
import TinyMLCore

/// A model that is ready for the camera's frames, whatever runs it.
public typealias LoadedClassifier = any FrameClassifier<CVPixelBuffer>
#endif
