/// What is wrong with a file of ours; `phrase` is one sentence for the user.
public enum SchemaError: Error, Equatable, Sendable, ExplainedError {
    /// The text is no JSON object.
    case notJSON(file: String)
    /// A JSON file of another kind than the one asked for.
    case wrongKind(file: String, found: String?, expected: String)
    /// No version that can be understood.
    case noVersion(file: String)
    /// A version newer than this program's.
    case newer(file: String, version: String)
    /// A version so old that it is no longer read.
    case tooOld(file: String, version: String)
    /// A key or value that the schema does not allow; `place` is dotted ("results.0.case.batch").
    case doesNotFit(file: String, place: String, problem: Phrase)

    public var phrase: Phrase {
        switch self {
        case .notJSON(let file):
            Phrase("%@ is not a JSON object", file)
        case .wrongKind(let file, let found, let expected):
            Phrase(
                "%@ is not a %@ file: kind is %@",
                phrases: [.verbatim(file), .verbatim(expected), found.map(Phrase.verbatim) ?? "absent"])
        case .noVersion(let file):
            Phrase("%@ names no schema version; allowed: 1.0 to %@", file, "\(SchemaVersion.current)")
        case .newer(let file, let version):
            Phrase(
                "%@ was written by a newer tinyml (schema %@): this one reads up to %@", file, version,
                "\(SchemaVersion.current)")
        case .tooOld(let file, let version):
            Phrase("%@ is of a version that is no longer read (schema %@)", file, version)
        case .doesNotFit(let file, let place, let problem):
            Phrase(
                "%@ does not fit its schema: %@: %@",
                phrases: [.verbatim(file), place.isEmpty ? "the whole" : .verbatim(place), problem])
        }
    }
}
