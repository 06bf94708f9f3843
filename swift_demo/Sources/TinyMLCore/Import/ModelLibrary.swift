import Foundation

/// The models that the user brought in, each in a folder of its own.
public struct ModelLibrary: Sendable {
    private static let unfinished = ".unfinished-"

    private let folder: URL

    /// The library in `folder`, which is made when it is first needed.
    public init(folder: URL) {
        self.folder = folder
    }

    /// The models, sorted by their folders; what cannot be read is listed with its reason.
    public func contents() -> (models: [InstalledModel], refused: [ModelCatalog.Refusal]) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        var models: [InstalledModel] = []
        var refused: [ModelCatalog.Refusal] = []
        for name in names.sorted() where !name.hasPrefix(".") {
            do {
                models.append(try InstalledModel(folder: folder.appendingPathComponent(name)))
            } catch {
                refused.append(ModelCatalog.Refusal(folder: name, reason: Phrase(of: error)))
            }
        }
        return (models, refused)
    }

    /// Copies a model into the library: an exported folder, an `.mlpackage`, or a zip archive of either.
    ///
    /// Nothing stands in the library before it was verified; a model that is there already is replaced.
    ///
    /// - Throws: `ModelImportError`, `ZipError`, `CatalogError`, `SchemaError`, or Foundation's error.
    public func add(_ source: URL) throws -> InstalledModel {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        removeUnfinished()
        let work = folder.appendingPathComponent(Self.unfinished + UUID().uuidString, isDirectory: true)
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: work) }
        let model = try InstalledModel(folder: prepared(source, in: work))
        try model.verifyChecksums()
        let target = folder.appendingPathComponent(Self.name(of: model.facts), isDirectory: true)
        if FileManager.default.fileExists(atPath: target.path) { try FileManager.default.removeItem(at: target) }
        try FileManager.default.moveItem(at: model.folder, to: target)
        return try InstalledModel(folder: target)
    }

    /// Whether a model lies in the library, and so may be deleted.
    public func holds(_ model: InstalledModel) -> Bool {
        model.folder.deletingLastPathComponent().standardizedFileURL.path == folder.standardizedFileURL.path
    }

    /// Deletes a model of the library.
    ///
    /// - Throws: `CatalogError.missing` for a model that lies elsewhere, or Foundation's error.
    public func remove(_ model: InstalledModel) throws {
        guard holds(model) else { throw CatalogError.missing(name: model.facts.path) }
        try FileManager.default.removeItem(at: model.folder)
    }

    /// Deletes a folder that cannot be used, as `contents` named it.
    public func remove(_ refusal: ModelCatalog.Refusal) throws {
        let target = folder.appendingPathComponent(refusal.folder, isDirectory: true)
        guard ZipArchive.isSafe(refusal.folder), FileManager.default.fileExists(atPath: target.path) else {
            throw CatalogError.missing(name: refusal.folder)
        }
        try FileManager.default.removeItem(at: target)
    }

    /// A folder below `work` with the source's model, as an export leaves it or with a record of a bare package.
    private func prepared(_ source: URL, in work: URL) throws -> URL {
        let name = source.lastPathComponent
        if isFile(source) {
            guard source.pathExtension.lowercased() == "zip" else { throw ModelImportError.nothingFound(name: name) }
            let unpacked = work.appendingPathComponent("archive", isDirectory: true)
            try FileManager.default.createDirectory(at: unpacked, withIntermediateDirectories: true)
            let archive = try ZipArchive(Data(contentsOf: source, options: .mappedIfSafe), name: name)
            try archive.unpack(into: unpacked)
            return try prepared(found(in: unpacked, name: name), in: work)
        }
        let target = work.appendingPathComponent("model", isDirectory: true)
        if source.pathExtension == "mlpackage" {
            try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
            let package = target.appendingPathComponent(name, isDirectory: true)
            try FileManager.default.copyItem(at: source, to: package)
            let record = try JSONEncoder().encode(BareModelRecord(package: package))
            try record.write(to: target.appendingPathComponent(BareModelRecord.fileName))
        } else {
            try FileManager.default.copyItem(at: found(in: source, name: name), to: target)
            if !isFile(target.appendingPathComponent("manifest.json")) {
                throw ModelImportError.nothingFound(name: name)
            }
        }
        return target
    }

    /// The one exported folder or package at or below a folder.
    private func found(in folder: URL, name: String) throws -> URL {
        if isFile(folder.appendingPathComponent("manifest.json")) { return folder }
        var models: [URL] = []
        for member in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            let url = folder.appendingPathComponent(member, isDirectory: true)
            if isFile(url) { continue }
            if member.hasSuffix(".mlpackage") || isFile(url.appendingPathComponent("manifest.json")) {
                models.append(url)
            } else if let inner = try? found(in: url, name: member) {
                models.append(inner)
            }
        }
        guard let model = models.first else { throw ModelImportError.nothingFound(name: name) }
        if models.count > 1 { throw ModelImportError.several(names: models.map(\.lastPathComponent)) }
        return model
    }

    /// Removes what an import left that was cut off: another one may have ended with the app.
    private func removeUnfinished() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        where name.hasPrefix(Self.unfinished) {
            // What cannot be removed now is tried again at the next import.
            try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        }
    }

    private func isFile(_ url: URL) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && !isFolder.boolValue
    }

    private static func name(of facts: ModelFacts) -> String {
        let readable = "\(facts.architecture)-\(facts.variant)"
        let safe = readable.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "-" }
        return "m-\(String(safe).prefix(80))-\(facts.sha256.prefix(12))"
    }
}
