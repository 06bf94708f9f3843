import Foundation

/// What files take up, as the Python tool counts it: the bytes of their content.
public enum FileSize {
    /// The bytes of a file, or of all files below a folder; 0 where there is nothing.
    public static func bytes(of url: URL) throws -> Int {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: url.path) else { return 0 }
        guard attributes[.type] as? FileAttributeType == .typeDirectory else {
            return (attributes[.size] as? NSNumber)?.intValue ?? 0
        }
        return try FileManager.default.contentsOfDirectory(atPath: url.path).reduce(0) {
            $0 + (try bytes(of: url.appendingPathComponent($1)))
        }
    }
}
