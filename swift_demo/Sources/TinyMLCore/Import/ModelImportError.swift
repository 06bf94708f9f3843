/// Why a model cannot be brought in; `description` is one sentence for the user.
public enum ModelImportError: Error, Equatable, Sendable, CustomStringConvertible {
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

    public var description: String {
        switch self {
        case .nothingFound(let name):
            "\(name) holds no model: an exported folder, an .mlpackage or a zip archive of one is needed"
        case .several(let names):
            "the archive holds several models, and one is needed: \(names.joined(separator: ", "))"
        case .notAModel(let name): "\(name) cannot be read as a Core ML model"
        case .notAClassifier(let name):
            "\(name) is no image classifier: it needs a color image as input and class probabilities"
        case .notSquare(let name, let width, let height):
            "\(name) takes images of \(width) x \(height) pixels: only square ones are prepared here"
        case .contradiction(let name, let said, let taken):
            "\(name) takes images of \(taken) pixels, its metadata says \(said)"
        case .address(let text): "“\(text)” is no address of a zip archive: it must begin with https:// and end in .zip"
        case .server(let status): "the server answered with status \(status)"
        case .downloadTooLarge(let bytes, let allowed): "the archive has \(bytes) bytes, allowed are \(allowed)"
        }
    }
}
