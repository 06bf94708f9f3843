import CZlib
import Foundation

/// Why an archive cannot be unpacked; `phrase` is one sentence for the user.
public enum ZipError: Error, Equatable, Sendable, ExplainedError {
    case notAnArchive(name: String)
    /// Encrypted, or packed in a way or a size that is not read here.
    case unsupported(entry: String)
    /// A path that would lie outside the folder that the archive is unpacked into, or a link.
    case unsafe(entry: String)
    /// Two entries of one name.
    case repeated(entry: String)
    /// Content that differs from its checksum or its size.
    case damaged(entry: String)
    case tooLarge(bytes: Int, allowed: Int)

    public var phrase: Phrase {
        switch self {
        case .notAnArchive(let name): Phrase("%@ is no zip archive, or one that was cut short", name)
        case .unsupported(let entry):
            Phrase("%@ is encrypted or packed in a way that cannot be read here", entry)
        case .unsafe(let entry): Phrase("the archive names a file outside its folder, or a link: %@", entry)
        case .repeated(let entry): Phrase("the archive names %@ twice", entry)
        case .damaged(let entry): Phrase("%@ is damaged in the archive: fetch it again", entry)
        case .tooLarge(let bytes, let allowed):
            Phrase("the archive holds %@ bytes, allowed are %@", "\(bytes)", "\(allowed)")
        }
    }
}

/// A zip archive of plain files, read by its directory at the end. Every path and size is checked before anything is
/// written, every checksum before a file is.
public struct ZipArchive: Sendable {
    struct Entry: Sendable {
        let path: String
        let isFolder: Bool
        let method: Int
        let checksum: Int
        let packedBytes: Int
        let bytes: Int
        /// Where its own header begins.
        let offset: Int
    }

    private let data: Data
    let entries: [Entry]

    /// Reads an archive's directory; `name` stands for the archive in errors.
    ///
    /// - Throws: `ZipError`.
    public init(_ data: Data, name: String) throws {
        self.data = data
        guard let directory = Self.directory(of: data) else { throw ZipError.notAnArchive(name: name) }
        var reader = ByteReader(data, at: directory.offset)
        var entries: [Entry] = []
        var seen: Set<String> = []
        for _ in 0..<directory.count {
            guard let entry = try Self.entry(&reader) else { throw ZipError.notAnArchive(name: name) }
            if Self.isLitter(entry.path) { continue }
            // Apple's file systems tell no capitals from small letters.
            guard seen.insert(entry.path.lowercased()).inserted else { throw ZipError.repeated(entry: entry.path) }
            entries.append(entry)
        }
        self.entries = entries
    }

    /// Writes every file below `folder`, which must exist; at most `allowed` bytes in all.
    ///
    /// - Throws: `ZipError`, or Foundation's error where a file cannot be written.
    public func unpack(into folder: URL, allowed: Int = 1 << 30) throws {
        let total = entries.reduce(0) { $0 + $1.bytes }
        guard total <= allowed else { throw ZipError.tooLarge(bytes: total, allowed: allowed) }
        for entry in entries {
            let target = folder.appendingPathComponent(entry.path, isDirectory: entry.isFolder)
            let parent = entry.isFolder ? target : target.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            if !entry.isFolder { try content(of: entry).write(to: target) }
        }
    }

    private func content(of entry: Entry) throws -> Data {
        var reader = ByteReader(data, at: entry.offset)
        // The local header repeats the directory's facts; only its two lengths matter.
        guard reader.number(4) == 0x0403_4B50, reader.take(22) != nil, let name = reader.number(2),
            let extra = reader.number(2), reader.take(name + extra) != nil, let packed = reader.take(entry.packedBytes)
        else { throw ZipError.damaged(entry: entry.path) }
        let content = try entry.method == 0 ? packed : inflated(packed, entry)
        guard content.count == entry.bytes, Self.checksum(content) == entry.checksum else {
            throw ZipError.damaged(entry: entry.path)
        }
        return content
    }

    private func inflated(_ packed: Data, _ entry: Entry) throws -> Data {
        guard entry.bytes > 0 else { return Data() }
        var output = [UInt8](repeating: 0, count: entry.bytes)
        let code = packed.withUnsafeBytes { input in
            output.withUnsafeMutableBufferPointer {
                czlib_inflate(input.bindMemory(to: UInt8.self).baseAddress, input.count, $0.baseAddress, $0.count)
            }
        }
        guard code == 0 else { throw ZipError.damaged(entry: entry.path) }
        return Data(output)
    }

    private static func checksum(_ content: Data) -> Int {
        content.withUnsafeBytes { Int(czlib_crc32($0.bindMemory(to: UInt8.self).baseAddress, $0.count)) }
    }

    /// Where the directory begins and how many entries it has: the last record of the file, before its comment.
    private static func directory(of data: Data) -> (offset: Int, count: Int)? {
        let size = 22
        guard data.count >= size else { return nil }
        for start in stride(from: data.count - size, through: max(0, data.count - size - 0xFFFF), by: -1) {
            var reader = ByteReader(data, at: start)
            guard reader.number(4) == 0x0605_4B50 else { continue }
            guard reader.number(2) == 0, reader.number(2) == 0, let here = reader.number(2),
                let count = reader.number(2), reader.number(4) != nil, let offset = reader.number(4),
                let comment = reader.number(2), start + size + comment == data.count, here == count,
                count < 0xFFFF, offset < 0xFFFF_FFFF
            else { return nil }
            return (offset, count)
        }
        return nil
    }

    private static func entry(_ reader: inout ByteReader) throws -> Entry? {
        guard reader.number(4) == 0x0201_4B50, let madeBy = reader.number(2), reader.number(2) != nil,
            let flags = reader.number(2), let method = reader.number(2), reader.number(4) != nil,
            let checksum = reader.number(4), let packed = reader.number(4), let bytes = reader.number(4),
            let nameLength = reader.number(2), let extraLength = reader.number(2),
            let commentLength = reader.number(2), reader.number(4) != nil, let attributes = reader.number(4),
            let offset = reader.number(4), let name = reader.take(nameLength),
            reader.take(extraLength + commentLength) != nil
        else { return nil }
        guard let path = String(data: name, encoding: .utf8) else { throw ZipError.unsafe(entry: "\(name)") }
        guard isSafe(path), !isLink(attributes, madeBy: madeBy) else { throw ZipError.unsafe(entry: path) }
        guard flags & 1 == 0, method == 0 || method == 8, packed < 0xFFFF_FFFF, bytes < 0xFFFF_FFFF else {
            throw ZipError.unsupported(entry: path)
        }
        return Entry(
            path: path, isFolder: path.hasSuffix("/"), method: method, checksum: checksum, packedBytes: packed,
            bytes: bytes, offset: offset)
    }

    /// Whether a path stays below the folder that it is taken from, on every system.
    static func isSafe(_ path: String) -> Bool {
        guard !path.isEmpty, !path.contains("\\"), !path.contains("\0"), !path.contains(":") else { return false }
        let parts = (path.hasSuffix("/") ? String(path.dropLast()) : path).components(separatedBy: "/")
        return parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    /// Whether Unix's mode in an entry's attributes is that of a symbolic link.
    private static func isLink(_ attributes: Int, madeBy: Int) -> Bool {
        madeBy >> 8 == 3 && (attributes >> 16) & 0o170000 == 0o120000
    }

    /// What the Finder adds on its own.
    private static func isLitter(_ path: String) -> Bool {
        path.hasPrefix("__MACOSX/") || path.hasSuffix("/.DS_Store") || path == ".DS_Store"
    }
}
