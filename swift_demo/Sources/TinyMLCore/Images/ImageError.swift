/// Why pixels cannot be used; `phrase` is one sentence for the user.
public enum ImageError: Error, Equatable, Sendable, ExplainedError {
    /// A width or height of nothing.
    case empty(width: Int, height: Int)
    /// Fewer bytes than the rows need.
    case tooFewBytes(needed: Int, found: Int)
    /// A file that is no image, or none that can be read here.
    case unreadable(name: String)
    /// The system did not save a picture.
    case unwritable(name: String)

    public var phrase: Phrase {
        switch self {
        case .empty(let width, let height):
            Phrase("the image is %@ x %@ pixels: there is nothing to look at", "\(width)", "\(height)")
        case .tooFewBytes(let needed, let found):
            Phrase("the image needs %@ bytes and has %@", "\(needed)", "\(found)")
        case .unreadable(let name): Phrase("%@ cannot be read as an image", name)
        case .unwritable(let name): Phrase("%@ could not be saved", name)
        }
    }
}
