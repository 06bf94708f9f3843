#if canImport(CoreML)
import CoreML
import Foundation
import TinyMLCore

/// Photos and videos in the system's files.
public struct SystemPhotoFiles: PhotoFiles {
    public init() {}

    public func isVideo(_ file: URL) -> Bool { FileKind.isVideo(file) }

    public func image(at file: URL) throws -> StoredImage { try ImageFileReader.read(file) }

    public func image(_ data: Data, name: String) throws -> StoredImage { try ImageFileReader.read(data, name: name) }

    public func video(_ file: URL) -> any VideoSource { VideoFile(file) }

    public func accessing<Value: Sendable>(
        _ file: URL, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await CoordinatedFile.accessing(file, work)
    }

    public func share(_ content: Data, name: String) throws -> URL { try SharedFile.write(content, name: name) }
}
#endif
