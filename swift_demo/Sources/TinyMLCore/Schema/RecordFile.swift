import Foundation

/// A type that stands in a JSON file of its own, with `kind` and `schema_version`.
public protocol RecordFile: Codable, Hashable, Sendable {
    /// The value of the file's `kind`.
    static var kind: String { get }
}

extension RecordFile {
    /// Reads a file's content; `name` stands for the file in errors.
    ///
    /// - Throws: `SchemaError` with the first thing that is wrong.
    public init(json: Data, name: String) throws {
        let decoder = JSONDecoder()
        guard let header = try? decoder.decode(Header.self, from: json) else { throw SchemaError.notJSON(file: name) }
        guard header.kind == Self.kind else {
            throw SchemaError.wrongKind(file: name, found: header.kind, expected: Self.kind)
        }
        guard let text = header.version, let version = SchemaVersion(text) else {
            throw SchemaError.noVersion(file: name)
        }
        if version > .current { throw SchemaError.newer(file: name, version: text) }
        guard let current = SchemaUpgrade.current(json, kind: Self.kind, from: version) else {
            throw SchemaError.tooOld(file: name, version: text)
        }
        do {
            self = try decoder.decode(Self.self, from: current)
        } catch let error as DecodingError {
            throw SchemaError(error, file: name)
        }
    }

    /// Reads a file.
    ///
    /// - Throws: `SchemaError`, or Foundation's error where the file cannot be read.
    public init(contentsOf url: URL) throws {
        try self.init(json: Data(contentsOf: url), name: url.lastPathComponent)
    }

    /// The file's content, keys sorted, with a newline at its end.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }
}

/// The two fields that decide whether the rest is read. A value of a wrong type counts as absent.
private struct Header: Decodable {
    let kind: String?
    let version: String?

    private enum CodingKeys: String, CodingKey {
        case kind
        case version = "schema_version"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        kind = try? fields.decode(String.self, forKey: .kind)
        version = try? fields.decode(String.self, forKey: .version)
    }
}

extension SchemaError {
    init(_ error: DecodingError, file: String) {
        let (path, problem): ([any CodingKey], Phrase) =
            switch error {
            case .keyNotFound(let key, let context): (context.codingPath + [key], "missing")
            case .valueNotFound(_, let context): (context.codingPath, "must not be null")
            case .typeMismatch(let type, let context): (context.codingPath, Phrase("is not of the type %@", "\(type)"))
            case .dataCorrupted(let context):
                (
                    context.codingPath,
                    (context.underlyingError as? FieldProblem)?.phrase ?? .verbatim(context.debugDescription)
                )
            @unknown default: ([], .verbatim("\(error)"))
            }
        let place = path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
        self = .doesNotFit(file: file, place: place, problem: problem)
    }
}
