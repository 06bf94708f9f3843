import Foundation

/// Where models lie and what makes them ready: the app's folders and Core ML, or a fake in the tests.
public protocol ModelShelf: Sendable {
    associatedtype Loaded: Sendable

    /// The models that the user brought in.
    var library: ModelLibrary { get }
    /// What tells at the next launch that loading a model ended this one.
    var breadcrumb: LoadBreadcrumb { get }
    /// The models that the app came with; nil for a program that has none.
    func bundled() throws -> ModelCatalog?
    func load(_ model: InstalledModel, units: Units) async throws -> Loaded
    /// Brings a file or folder of the user's in.
    func bringIn(_ file: URL) async throws -> InstalledModel
    /// Brings an archive in from an address of the web.
    func fetch(_ address: String) async throws -> InstalledModel
    /// Removes what was made of a model for this device.
    func forget(_ model: InstalledModel) throws
    /// Removes what was made of models that are gone.
    func keepCompiled(only models: [InstalledModel])
}

/// What a shelf holds.
public struct ShelfContents: Sendable {
    /// Every model, those of the app first, each once.
    public var models: [InstalledModel] = []
    /// What cannot be used, with its reason.
    public var refused: [ModelCatalog.Refusal] = []
    /// Those of the refused that the user brought in, and so may delete.
    public var discardable: Set<ModelCatalog.Refusal.ID> = []
    /// Why the app's own models could not be listed.
    public var problem: Phrase?
}

extension ModelShelf {
    /// Reads the models' folders.
    public func contents() -> ShelfContents {
        let own = library.contents()
        var found = ShelfContents(discardable: Set(own.refused.map(\.id)))
        do {
            let bundled = try bundled()
            found.models = bundled?.models ?? []
            found.refused = bundled?.refused ?? []
        } catch {
            found.problem = Phrase(of: error)
        }
        found.models += own.models
        found.refused += own.refused
        var seen: Set<InstalledModel.ID> = []
        found.models.removeAll { !seen.insert($0.id).inserted }
        return found
    }
}
