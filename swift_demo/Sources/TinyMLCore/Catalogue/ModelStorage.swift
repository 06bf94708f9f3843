import Foundation

/// What models take of the device's storage, and their removal.
public struct ModelStorage: Sendable {
    /// Why a model cannot be deleted; `description` is one sentence for the user.
    public enum Refusal: Error, Equatable, CustomStringConvertible {
        /// The model is part of the app.
        case bundled(name: String)

        public var description: String {
            switch self {
            case .bundled(let name): "\(name) is part of the app and goes with it"
            }
        }
    }

    /// The folder of the models that the user brought in.
    public let imported: URL

    public init(imported: URL) {
        self.imported = imported
    }

    /// Whether a model was brought in by the user, so that it may be deleted.
    public func isImported(_ model: InstalledModel) -> Bool {
        model.folder.standardizedFileURL.deletingLastPathComponent().path == imported.standardizedFileURL.path
    }

    /// Deletes an imported model's folder.
    ///
    /// - Throws: `Refusal.bundled`, or Foundation's error.
    public func delete(_ model: InstalledModel) throws {
        guard isImported(model) else { throw Refusal.bundled(name: model.title) }
        try FileManager.default.removeItem(at: model.folder)
    }

    /// The bytes of all files below a folder; 0 where there is none.
    public static func bytes(of folder: URL) -> Int {
        let files = FileManager.default.enumerator(atPath: folder.path)
        var sum = 0
        while let name = files?.nextObject() as? String {
            let attributes = try? FileManager.default.attributesOfItem(
                atPath: folder.appendingPathComponent(name).path)
            if attributes?[.type] as? FileAttributeType == .typeRegular {
                sum += (attributes?[.size] as? NSNumber)?.intValue ?? 0
            }
        }
        return sum
    }
}
