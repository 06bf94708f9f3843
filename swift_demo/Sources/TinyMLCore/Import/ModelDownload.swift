import Foundation

/// What fetches a file from the web: the system's session, or a fake in the tests.
public protocol FileFetching: Sendable {
    /// Saves what an address gives into `file`.
    ///
    /// - Throws: `ModelImportError.server` or `.downloadTooLarge`, or the system's error.
    func fetch(_ address: URL, to file: URL, allowed: Int) async throws
}

/// Fetches a zip archive of a model and adds it to a library.
public struct ModelDownload: Sendable {
    private let library: ModelLibrary
    private let fetcher: any FileFetching
    private let allowed: Int

    /// Archives of at most `allowed` bytes are fetched.
    public init(library: ModelLibrary, fetcher: any FileFetching, allowed: Int = 1 << 29) {
        self.library = library
        self.fetcher = fetcher
        self.allowed = allowed
    }

    /// Fetches and adds; nothing is left of it where that fails.
    ///
    /// - Throws: `ModelImportError.address` for what is no https address of a zip archive, otherwise what fetching or
    ///   adding throws.
    public func add(_ text: String) async throws -> InstalledModel {
        let address = try Self.address(text)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "tinyml-download-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent(address.lastPathComponent)
        try await fetcher.fetch(address, to: file, allowed: allowed)
        return try library.add(file)
    }

    /// The address that a user typed or pasted.
    static func address(_ text: String) throws -> URL {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard let url = URL(string: trimmed), url.scheme?.lowercased() == "https", url.host?.isEmpty == false,
            url.pathExtension.lowercased() == "zip"
        else { throw ModelImportError.address(trimmed) }
        return url
    }
}
