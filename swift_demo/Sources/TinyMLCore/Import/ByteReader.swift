import Foundation

/// Reads little-endian numbers and slices of bytes that somebody else wrote; nothing beyond their end.
struct ByteReader {
    let bytes: Data
    /// Counted from the first byte, whatever the data's own indices are.
    var offset: Int

    init(_ bytes: Data, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    var isAtEnd: Bool { offset >= bytes.count }

    /// The next `count` bytes; nil where there are fewer.
    mutating func take(_ count: Int) -> Data? {
        guard count >= 0, offset >= 0, count <= bytes.count - offset else { return nil }
        let start = bytes.startIndex + offset
        offset += count
        return bytes[start..<start + count]
    }

    /// The next number of `width` bytes.
    mutating func number(_ width: Int) -> Int? {
        take(width)?.reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// The next number as Protocol Buffers store it: seven bits a byte, at most ten bytes.
    mutating func variableNumber() -> UInt64? {
        var value: UInt64 = 0
        for place in 0..<10 {
            guard let byte = take(1)?.first else { return nil }
            value |= UInt64(byte & 0x7F) << (7 * UInt64(place))
            if byte < 0x80 { return value }
        }
        return nil
    }
}
