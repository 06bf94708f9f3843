/// Why pixels cannot be used; `description` is one sentence for the user.
public enum ImageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A width or height of nothing.
    case empty(width: Int, height: Int)
    /// Fewer bytes than the rows need.
    case tooFewBytes(needed: Int, found: Int)
    /// A file that is no image, or none that can be read here.
    case unreadable(name: String)
    /// The system did not save a picture.
    case unwritable(name: String)

    public var description: String {
        switch self {
        case .empty(let width, let height): "the image is \(width) x \(height) pixels: there is nothing to look at"
        case .tooFewBytes(let needed, let found): "the image needs \(needed) bytes and has \(found)"
        case .unreadable(let name): "\(name) cannot be read as an image"
        case .unwritable(let name): "\(name) could not be saved"
        }
    }
}
