/// What is wrong with a file of ours; `description` is one sentence for the user.
public enum SchemaError: Error, Equatable, Sendable, CustomStringConvertible {
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
    case doesNotFit(file: String, place: String, problem: String)

    public var description: String {
        switch self {
        case .notJSON(let file):
            "\(file) is not a JSON object"
        case .wrongKind(let file, let found, let expected):
            "\(file) is not a \(expected) file: kind is \(found ?? "absent")"
        case .noVersion(let file):
            "\(file) names no schema version; allowed: 1.0 to \(SchemaVersion.current)"
        case .newer(let file, let version):
            "\(file) was written by a newer tinyml (schema \(version)): this one reads up to \(SchemaVersion.current)"
        case .tooOld(let file, let version):
            "\(file) is of a version that is no longer read (schema \(version))"
        case .doesNotFit(let file, let place, let problem):
            "\(file) does not fit its schema: \(place.isEmpty ? "the whole" : place): \(problem)"
        }
    }
}
