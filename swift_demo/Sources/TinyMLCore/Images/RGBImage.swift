/// An image of its own: eight bits a channel, red, green, blue, rows without padding.
public struct RGBImage: Hashable, Sendable {
    public let width: Int
    public let height: Int
    public let bytes: [UInt8]

    /// An image of bytes in the order red, green, blue.
    ///
    /// - Throws: `ImageError` where their number is not `width * height * 3`.
    public init(width: Int, height: Int, bytes: [UInt8]) throws {
        guard width > 0, height > 0 else { throw ImageError.empty(width: width, height: height) }
        guard bytes.count == width * height * 3 else {
            throw ImageError.tooFewBytes(needed: width * height * 3, found: bytes.count)
        }
        self.init(checkedWidth: width, height: height, bytes: bytes)
    }

    init(width: Int, height: Int, pixel: (Int, Int) -> (red: UInt8, green: UInt8, blue: UInt8)) {
        let bytes = [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
            var place = 0
            for row in 0..<height {
                for column in 0..<width {
                    (buffer[place], buffer[place + 1], buffer[place + 2]) = pixel(column, row)
                    place += 3
                }
            }
            count = place
        }
        self.init(checkedWidth: width, height: height, bytes: bytes)
    }

    init(checkedWidth width: Int, height: Int, bytes: [UInt8]) {
        self.width = width
        self.height = height
        self.bytes = bytes
    }

    /// The image with red and blue exchanged: what a wrong channel order makes of it.
    public var redAndBlueSwapped: RGBImage {
        RGBImage(width: width, height: height) { column, row in
            let place = (row * width + column) * 3
            return (bytes[place + 2], bytes[place + 1], bytes[place])
        }
    }

    /// The colors as numbers from 0 to 255: all red ones row by row, then all green, then all blue ones.
    public var planar: [Float] {
        let count = width * height
        return [Float](unsafeUninitializedCapacity: count * 3) { buffer, filled in
            for place in 0..<count {
                buffer[place] = Float(bytes[place * 3])
                buffer[count + place] = Float(bytes[place * 3 + 1])
                buffer[2 * count + place] = Float(bytes[place * 3 + 2])
            }
            filled = count * 3
        }
    }

    /// Calls `body` with a view of the pixels.
    public func withSource<Result>(_ body: (PixelSource) throws -> Result) throws -> Result {
        try bytes.withUnsafeBytes { raw in
            try body(PixelSource(bytes: raw, width: width, height: height, bytesPerRow: width * 3, format: .rgb))
        }
    }

    /// Writes the pixels as blue, green, red, alpha into rows that are `bytesPerRow` apart, as Core Video stores them.
    ///
    /// - Throws: `ImageError` where the target is too small.
    public func writeBGRA(to target: UnsafeMutableRawBufferPointer, bytesPerRow: Int) throws {
        let needed = (height - 1) * bytesPerRow + width * 4
        guard bytesPerRow >= width * 4, target.count >= needed else {
            throw ImageError.tooFewBytes(needed: needed, found: target.count)
        }
        for row in 0..<height {
            for column in 0..<width {
                let from = (row * width + column) * 3
                let to = row * bytesPerRow + column * 4
                target[to] = bytes[from + 2]
                target[to + 1] = bytes[from + 1]
                target[to + 2] = bytes[from]
                target[to + 3] = 255
            }
        }
    }
}
