/// Why a model cannot be brought in; `phrase` is one sentence for the user.
public enum ModelImportError: Error, Equatable, Sendable, ExplainedError {
    /// Neither an exported folder, nor a package, nor an archive of one.
    case nothingFound(name: String)
    /// An archive of several models.
    case several(names: [String])
    case notAModel(name: String)
    case notAClassifier(name: String)
    case notSquare(name: String, width: Int, height: Int)
    /// The metadata says another input size than the model takes.
    case contradiction(name: String, said: Int, taken: Int)
    /// An address that is not fetched from.
    case address(String)
    case server(status: Int)
    case downloadTooLarge(bytes: Int, allowed: Int)

    public var phrase: Phrase {
        switch self {
        case .nothingFound(let name):
            Phrase("%@ holds no model: an exported folder, an .mlpackage or a zip archive of one is needed", name)
        case .several(let names):
            Phrase("the archive holds several models, and one is needed: %@", names.joined(separator: ", "))
        case .notAModel(let name): Phrase("%@ cannot be read as a Core ML model", name)
        case .notAClassifier(let name):
            Phrase("%@ is no image classifier: it needs a color image as input and class probabilities", name)
        case .notSquare(let name, let width, let height):
            Phrase(
                "%@ takes images of %@ x %@ pixels: only square ones are prepared here", name, "\(width)", "\(height)")
        case .contradiction(let name, let said, let taken):
            Phrase("%@ takes images of %@ pixels, its metadata says %@", name, "\(taken)", "\(said)")
        case .address(let text):
            Phrase("“%@” is no address of a zip archive: it must begin with https:// and end in .zip", text)
        case .server(let status): Phrase("the server answered with status %@", "\(status)")
        case .downloadTooLarge(let bytes, let allowed):
            Phrase("the archive has %@ bytes, allowed are %@", "\(bytes)", "\(allowed)")
        }
    }
}
