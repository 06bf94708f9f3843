import Foundation

/// What the user chose, kept between launches.
public struct AppSettings: Codable, Hashable, Sendable {
    /// The chosen model's content hash; nil for the first there is.
    public var model: String?
    /// The model to compare with on the live picture; nil for none.
    public var comparedModel: String?
    public var units = Units.all
    /// The probability from which on a class is told.
    public var threshold = 0.5
    /// Whether answers are averaged over the last frames.
    public var isSmoothed = true

    public init() {}

    /// The time constant of the average over frames, in nanoseconds.
    public var smoothing: Int { isSmoothed ? 300_000_000 : 0 }

    private enum CodingKeys: String, CodingKey {
        case model
        case comparedModel = "compared_model"
        case units, threshold
        case isSmoothed = "is_smoothed"
    }

    /// Reads what an older or newer version of the app wrote: what is absent keeps its usual value.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        model = try fields.decodeIfPresent(String.self, forKey: .model)
        comparedModel = try fields.decodeIfPresent(String.self, forKey: .comparedModel)
        units = try fields.decodeIfPresent(Units.self, forKey: .units) ?? units
        let stored = try fields.decodeIfPresent(Double.self, forKey: .threshold) ?? threshold
        threshold = stored.isFinite ? min(max(stored, 0), 1) : 0.5
        isSmoothed = try fields.decodeIfPresent(Bool.self, forKey: .isSmoothed) ?? isSmoothed
    }
}

/// The file that keeps the settings.
public struct SettingsStore: Sendable {
    private let file: URL

    /// Settings in `folder`, which is made when it is first needed.
    public init(folder: URL) {
        file = folder.appendingPathComponent("settings.json")
    }

    /// What was kept; the usual settings where nothing was, or nothing that can be read.
    public func load() -> AppSettings {
        (try? Data(contentsOf: file)).flatMap { try? JSONDecoder().decode(AppSettings.self, from: $0) } ?? AppSettings()
    }

    public func save(_ settings: AppSettings) throws {
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try JSONEncoder().encode(settings).write(to: file, options: .atomic)
    }
}
