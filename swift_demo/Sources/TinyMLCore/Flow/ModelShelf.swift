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

extension ModelShelf {
    /// Every model, those of the app first, each once; what cannot be used with its reason; and why the app's own
    /// could not be listed.
    public func contents() -> (models: [InstalledModel], refused: [ModelCatalog.Refusal], problem: Phrase?) {
        var found = library.contents()
        var problem: Phrase?
        do {
            if let bundled = try bundled() {
                found.models = bundled.models + found.models
                found.refused = bundled.refused + found.refused
            }
        } catch {
            problem = Phrase(of: error)
        }
        var seen: Set<InstalledModel.ID> = []
        return (found.models.filter { seen.insert($0.id).inserted }, found.refused, problem)
    }
}
