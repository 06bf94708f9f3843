#if canImport(CoreML)
import Foundation
import TinyMLCore

/// Brings exported models of the user's into the app.
public enum ModelImporter {
    /// Copies an exported folder (model, manifest.json and golden image) and returns the copy, its checksums verified.
    public static func importModel(from folder: URL) throws -> InstalledModel {
        let isScoped = folder.startAccessingSecurityScopedResource()
        defer { if isScoped { folder.stopAccessingSecurityScopedResource() } }
        let model = try InstalledModel(folder: folder)
        try model.verifyChecksums()
        let name =
            "\(model.artifact.spec.architecture)-\(model.artifact.variant.name)-\(model.artifact.sha256.prefix(8))"
        let target = AppFolders.imported.appendingPathComponent(name, isDirectory: true)
        try FileManager.default.createDirectory(at: AppFolders.imported, withIntermediateDirectories: true)
        if FileManager.default.fileExists(atPath: target.path) { try FileManager.default.removeItem(at: target) }
        try FileManager.default.copyItem(at: folder, to: target)
        return try InstalledModel(folder: target)
    }

    /// The models that were brought in before; folders that cannot be read are listed with their reason.
    public static func imported() -> (models: [InstalledModel], refused: [ModelCatalog.Refusal]) {
        let folders =
            (try? FileManager.default.contentsOfDirectory(at: AppFolders.imported, includingPropertiesForKeys: nil))
            ?? []
        var models: [InstalledModel] = []
        var refused: [ModelCatalog.Refusal] = []
        for folder in folders.sorted(by: { $0.path < $1.path }) {
            do {
                models.append(try InstalledModel(folder: folder))
            } catch {
                refused.append(ModelCatalog.Refusal(folder: folder.lastPathComponent, reason: "\(error)"))
            }
        }
        return (models, refused)
    }
}
#endif
