import Foundation

/// Where photos and videos come from and where tables of answers go: the system's files, or a fake in the tests.
public protocol PhotoFiles: Sendable {
    func isVideo(_ file: URL) -> Bool
    /// Reads an image file. Blocks: a file in the cloud is fetched first.
    func image(at file: URL) throws -> StoredImage
    /// Reads the bytes of an image file called `name`.
    func image(_ data: Data, name: String) throws -> StoredImage
    func video(_ file: URL) -> any VideoSource
    /// Does `work` with the right to read a file of the user's.
    func accessing<Value: Sendable>(
        _ file: URL, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value
    /// Writes a file of that name, to be shared, and returns it.
    func share(_ content: Data, name: String) throws -> URL
}
