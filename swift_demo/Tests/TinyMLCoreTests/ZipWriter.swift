import CZlib
import Foundation

/// Writes zip archives for the tests, whole ones and spoiled ones; nothing is packed.
struct ZipWriter {
    /// One entry; what is not given is as it should be.
    struct Entry {
        var path: String
        var content = Data()
        var flags = 0x800
        var method = 0
        /// Unix's mode; 0 for none.
        var mode = 0
        var checksum: Int?
        var bytes: Int?
    }

    static func archive(_ entries: [Entry]) -> Data {
        var body = Data()
        var directory = Data()
        for entry in entries {
            let name = Data(entry.path.utf8)
            let sum = entry.content.withUnsafeBytes {
                Int(czlib_crc32($0.bindMemory(to: UInt8.self).baseAddress, $0.count))
            }
            let facts =
                number(entry.flags, 2) + number(entry.method, 2) + number(0, 4) + number(entry.checksum ?? sum, 4)
                + number(entry.content.count, 4) + number(entry.bytes ?? entry.content.count, 4)
                + number(name.count, 2) + number(0, 2)
            let offset = body.count
            body += number(0x0403_4B50, 4) + number(20, 2) + facts + name + entry.content
            directory += number(0x0201_4B50, 4) + number(3 << 8 | 20, 2) + number(20, 2) + facts
            directory += number(0, 2) + number(0, 2) + number(0, 2) + number(entry.mode << 16, 4) + number(offset, 4)
            directory += name
        }
        let end =
            number(0x0605_4B50, 4) + number(0, 4) + number(entries.count, 2) + number(entries.count, 2)
            + number(directory.count, 4) + number(body.count, 4) + number(0, 2)
        return body + directory + end
    }

    /// Every file below `folder`, under the path `root`.
    static func entries(of folder: URL, root: String) throws -> [Entry] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().flatMap { name -> [Entry] in
            let url = folder.appendingPathComponent(name)
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
            if isFolder.boolValue { return try entries(of: url, root: "\(root)\(name)/") }
            return [Entry(path: root + name, content: try Data(contentsOf: url))]
        }
    }

    private static func number(_ value: Int, _ width: Int) -> Data {
        Data((0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
    }
}
