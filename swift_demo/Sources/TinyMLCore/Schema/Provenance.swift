/// Who made a file, when and with what.
public struct Provenance: Codable, Hashable, Sendable {
    /// UTC, to the second: "2026-11-23T17:05:09Z".
    public let createdAt: String
    public let command: String
    public let toolVersion: String
    public let packages: [String: String]
    /// The cut that made this a first look rather than a full run; nil: nothing was cut.
    public let limit: Int?

    public init(
        createdAt: String, command: String, toolVersion: String, packages: [String: String] = [:], limit: Int? = nil
    ) {
        self.createdAt = createdAt
        self.command = command
        self.toolVersion = toolVersion
        self.packages = packages
        self.limit = limit
    }

    enum CodingKeys: String, FieldKey {
        case createdAt = "created_at"
        case command
        case toolVersion = "tool_version"
        case packages, limit
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        createdAt = try fields(.createdAt, .timestamp)
        command = try fields(.command)
        toolVersion = try fields(.toolVersion)
        packages = try fields(.packages, or: [:])
        limit = try fields.optional(.limit, .positive)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(command, forKey: .command)
        try container.encode(toolVersion, forKey: .toolVersion)
        try container.encode(packages, forKey: .packages)
        try container.encode(limit, forKey: .limit)
    }
}
