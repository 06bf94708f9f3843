import Foundation

/// Hashes of files and folders, the same as the Python tool's.
public enum ContentHash {
    /// The SHA-256 of a file, or of a folder's sorted (relative path, content hash) pairs.
    public static func sha256(of url: URL) throws -> String {
        guard try isFolder(url) else { return SHA256Digest.hex(try Data(contentsOf: url, options: .mappedIfSafe)) }
        var whole = SHA256Digest()
        for path in try members(of: url).sorted(by: { $0.lexicographicallyPrecedes($1, by: precedes) }) {
            let file = path.reduce(url) { $0.appendingPathComponent($1) }
            whole.update("\(path.joined(separator: "/"))\0\(try sha256(of: file))\n".utf8)
        }
        return whole.finish()
    }

    /// The path components of every file below a folder.
    private static func members(of folder: URL) throws -> [[String]] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).flatMap { name in
            let member = folder.appendingPathComponent(name)
            return try isFolder(member) ? members(of: member).map { [name] + $0 } : [[name]]
        }
    }

    private static func isFolder(_ url: URL) throws -> Bool {
        let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
        return attributes[.type] as? FileAttributeType == .typeDirectory
    }

    /// The order of code points, which is Python's; Swift's own order of strings is another.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}
