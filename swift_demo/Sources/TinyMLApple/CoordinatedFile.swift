#if canImport(CoreML)
import CoreML
import Foundation
import TinyMLCore

/// Files of the user's, which other apps and iCloud may be writing, or which are still elsewhere.
public enum CoordinatedFile {
    /// Calls `body` with a place to read from, once a file or folder is here and nobody writes it. Blocks: a file in
    /// iCloud is fetched first.
    ///
    /// - Throws: `FileAccessError` for an address of the web: nothing is fetched from there.
    public static func read<Result>(_ url: URL, _ body: (URL) throws -> Result) throws -> Result {
        guard url.isFileURL else { throw FileAccessError.notAFile(address: url.absoluteString) }
        let isScoped = url.startAccessingSecurityScopedResource()
        defer { if isScoped { url.stopAccessingSecurityScopedResource() } }
        var failure: NSError?
        var result: Swift.Result<Result, any Error>?
        NSFileCoordinator(filePresenter: nil).coordinate(readingItemAt: url, options: [], error: &failure) { place in
            result = Swift.Result { try body(place) }
        }
        guard let result else { throw failure ?? FileAccessError.notReadable(name: url.lastPathComponent) }
        return try result.get()
    }

    /// Does `work`, which takes its time, with the right to read a file or folder of the user's.
    ///
    /// - Throws: `FileAccessError` for an address of the web, or what `work` throws.
    public static func accessing<Result: Sendable>(
        _ url: URL, _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        guard url.isFileURL else { throw FileAccessError.notAFile(address: url.absoluteString) }
        let isScoped = url.startAccessingSecurityScopedResource()
        defer { if isScoped { url.stopAccessingSecurityScopedResource() } }
        return try await work()
    }

    /// The content of a file.
    public static func data(at url: URL) throws -> Data { try read(url) { try Data(contentsOf: $0) } }
}
#endif
