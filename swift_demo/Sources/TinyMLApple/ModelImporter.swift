#if canImport(CoreML)
import Foundation
import TinyMLCore

/// Brings models of the user's into the app.
public enum ModelImporter {
    /// The models that were brought in.
    public static var library: ModelLibrary { ModelLibrary(folder: AppFolders.imported) }

    /// Copies an exported folder, an `.mlpackage` or a zip archive of either and returns the copy, verified.
    public static func importModel(from url: URL) throws -> InstalledModel {
        try CoordinatedFile.read(url) { try library.add($0) }
    }

    /// Fetches a zip archive of a model from the web and brings it in.
    public static func importModel(fromAddress text: String) async throws -> InstalledModel {
        try await ModelDownload(library: library, fetcher: WebFetcher()).add(text)
    }
}
#endif
