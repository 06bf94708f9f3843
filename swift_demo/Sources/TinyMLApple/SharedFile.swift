#if canImport(CoreML)
import CoreML
import Foundation

/// Files that are made to be shared: each in a folder of its own, so that its name is free.
public enum SharedFile {
    /// Where a file of that name can be written.
    static func place(_ name: String) throws -> URL {
        let folder = URL.temporaryDirectory.appendingPathComponent("Shared-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.appendingPathComponent(name)
    }

    /// Writes a file of that name and returns it.
    public static func write(_ content: Data, name: String) throws -> URL {
        let file = try place(name)
        try content.write(to: file)
        return file
    }
}
#endif
