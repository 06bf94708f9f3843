#if canImport(CoreML)
import TinyMLCore

/// What went wrong with the system's frameworks; `phrase` is one sentence for the user.
public enum AppleError: Error, Equatable, Sendable, ExplainedError {
    /// Core Video made no pixel buffer.
    case noPixelBuffer(code: Int32)
    /// The model has no image input or no class probabilities.
    case notAClassifier(name: String)
    /// The model answered without the output that it describes.
    case missingOutput(name: String)
    /// A model that needs a newer system.
    case needsCoreAI(name: String)
    /// What only Core ML's models can be put through.
    case onlyCoreML(name: String)

    public var phrase: Phrase {
        switch self {
        case .noPixelBuffer(let code): Phrase("the system made no pixel buffer (code %@)", "\(code)")
        case .notAClassifier(let name):
            Phrase("%@ is no image classifier: it needs an image input and class probabilities", name)
        case .missingOutput(let name): Phrase("the model gave no output named %@", name)
        case .needsCoreAI(let name): Phrase("%@ is a Core AI model, which runs from iOS 27 and macOS 27 on", name)
        case .onlyCoreML(let name): Phrase("%@ is a Core AI model: only Core ML models are measured here", name)
        }
    }
}
#endif
