/// Why something of the user's cannot be opened; `phrase` is one sentence for the user.
public enum FileAccessError: Error, Equatable, Sendable, ExplainedError {
    /// An address of something that is no file: nothing is fetched from the web here.
    case notAFile(address: String)
    /// The system let nobody read it.
    case notReadable(name: String)
    /// A file that somebody else has deleted or renamed.
    case absent(name: String)

    public var phrase: Phrase {
        switch self {
        case .notAFile(let address): Phrase("%@ is no file: save it first, and open the file", address)
        case .notReadable(let name):
            Phrase("%@ cannot be read just now: try again when it is on this device", name)
        case .absent(let name): Phrase("%@ is no longer there", name)
        }
    }
}
