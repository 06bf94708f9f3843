import Foundation

/// What the user chose, kept between launches.
public struct Choices: Codable, Hashable, Sendable {
    /// The chosen model's checksum; nil before any choice.
    public var model: InstalledModel.ID?
    /// The model that is compared with it on the same picture; nil for none.
    public var beside: InstalledModel.ID?
    public var units: Units
    /// The probability from which on a class is told, 0 to 1.
    public var threshold: Double

    public init(
        model: InstalledModel.ID? = nil, beside: InstalledModel.ID? = nil, units: Units = .all, threshold: Double = 0.5
    ) {
        self.model = model
        self.beside = beside
        self.units = units
        self.threshold = Self.inRange(threshold)
    }

    private enum CodingKeys: String, CodingKey { case model, beside, units, threshold }

    /// Reads what an earlier or later version wrote: a choice that means nothing here becomes the usual one.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let units = (try? fields.decode(Units.self, forKey: .units)).flatMap {
            Units.coreMLUnits.contains($0) ? $0 : nil
        }
        self.init(
            model: try? fields.decode(String.self, forKey: .model),
            beside: try? fields.decode(String.self, forKey: .beside), units: units ?? .all,
            threshold: (try? fields.decode(Double.self, forKey: .threshold)) ?? 0.5)
    }

    /// The model to begin with: the one chosen last if it is still there, otherwise the first.
    public func selection(among models: [InstalledModel]) -> InstalledModel.ID? {
        models.first { $0.id == model }?.id ?? models.first?.id
    }

    /// The model to compare with, as long as it is there and another one than `selection`.
    public func comparison(among models: [InstalledModel], with selection: InstalledModel.ID?) -> InstalledModel? {
        models.first { $0.id == beside && $0.id != selection }
    }

    private static func inRange(_ threshold: Double) -> Double {
        threshold.isFinite ? min(max(threshold, 0), 1) : 0.5
    }
}

/// The file that holds the choices.
public struct ChoiceFile: Sendable {
    private let file: URL

    /// The file in `folder`, which is made when it is first needed.
    public init(folder: URL) {
        file = folder.appendingPathComponent("choices.json")
    }

    /// What was kept; the usual choices of this device or simulator where nothing was, or nothing that can be read.
    public func read(isSimulator: Bool = false) -> Choices {
        let kept = (try? Data(contentsOf: file)).flatMap { try? JSONDecoder().decode(Choices.self, from: $0) }
        return kept ?? Choices(units: .initial(isSimulator: isSimulator))
    }

    /// Keeps the choices.
    ///
    /// - Throws: Foundation's error where the file cannot be written.
    public func write(_ choices: Choices) throws {
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try JSONEncoder().encode(choices).write(to: file, options: .atomic)
    }
}
