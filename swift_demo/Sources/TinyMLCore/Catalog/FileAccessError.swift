/// Why something of the user's cannot be opened; `description` is one sentence for the user.
public enum FileAccessError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An address of something that is no file: nothing is fetched from the web here.
    case notAFile(address: String)
    /// The system let nobody read it.
    case notReadable(name: String)

    public var description: String {
        switch self {
        case .notAFile(let address): "\(address) is no file: save it first, and open the file"
        case .notReadable(let name): "\(name) cannot be read just now: try again when it is on this device"
        }
    }
}
