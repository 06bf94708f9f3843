#if canImport(CoreML)
import TinyMLCore

/// What went wrong with the system's frameworks; `description` is one sentence for the user.
public enum AppleError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Core Video made no pixel buffer.
    case noPixelBuffer(code: Int32)
    /// The model has no image input or no class probabilities.
    case notAClassifier(name: String)
    /// The model answered without the output that it describes.
    case missingOutput(name: String)

    public var description: String {
        switch self {
        case .noPixelBuffer(let code): "the system made no pixel buffer (code \(code))"
        case .notAClassifier(let name):
            "\(name) is no image classifier: it needs an image input and class probabilities"
        case .missingOutput(let name): "the model gave no output named \(name)"
        }
    }
}
#endif
