import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Fetches files from the web with the system's session.
public struct WebFetcher: FileFetching {
    public init() {}

    public func fetch(_ address: URL, to file: URL, allowed: Int) async throws {
        let (saved, response) = try await URLSession.shared.download(from: address)
        // The session's own copy goes with this call; what is refused must not stay either.
        defer { try? FileManager.default.removeItem(at: saved) }
        if let response = response as? HTTPURLResponse, response.statusCode != 200 {
            throw ModelImportError.server(status: response.statusCode)
        }
        let bytes = try FileSize.bytes(of: saved)
        guard bytes <= allowed else { throw ModelImportError.downloadTooLarge(bytes: bytes, allowed: allowed) }
        try FileManager.default.moveItem(at: saved, to: file)
    }
}
