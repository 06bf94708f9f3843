/// A view of 8-bit pixels that somebody else owns, addressed by strides.
///
/// Turning, mirroring and cropping change the strides and copy nothing. A view must not outlive its bytes.
public struct PixelSource {
    public let width: Int
    public let height: Int
    private let bytes: UnsafeRawBufferPointer
    private let origin: Int
    private let columnStride: Int
    private let rowStride: Int
    private let channels: (red: Int, green: Int, blue: Int)

    /// A view of rows that are `bytesPerRow` apart; the bytes that pad a row are never read.
    ///
    /// - Throws: `ImageError` where the bytes do not reach.
    public init(
        bytes: UnsafeRawBufferPointer, width: Int, height: Int, bytesPerRow: Int, format: PixelFormat
    ) throws {
        guard width > 0, height > 0 else { throw ImageError.empty(width: width, height: height) }
        let row = width * format.bytesPerPixel
        let needed = (height - 1) * bytesPerRow + row
        guard bytesPerRow >= row, bytes.count >= needed else {
            throw ImageError.tooFewBytes(needed: max(needed, height * row), found: bytes.count)
        }
        self.init(
            width: width, height: height, bytes: bytes, origin: 0, columnStride: format.bytesPerPixel,
            rowStride: bytesPerRow, channels: format.channelOffsets)
    }

    private init(
        width: Int, height: Int, bytes: UnsafeRawBufferPointer, origin: Int, columnStride: Int, rowStride: Int,
        channels: (red: Int, green: Int, blue: Int)
    ) {
        self.width = width
        self.height = height
        self.bytes = bytes
        self.origin = origin
        self.columnStride = columnStride
        self.rowStride = rowStride
        self.channels = channels
    }

    /// The same pixels, turned upright.
    public func oriented(_ orientation: ImageOrientation) -> PixelSource {
        let lastColumn = (width - 1) * columnStride
        let lastRow = (height - 1) * rowStride
        return switch orientation {
        case .up: self
        case .upMirrored: turned(origin + lastColumn, -columnStride, rowStride)
        case .down: turned(origin + lastColumn + lastRow, -columnStride, -rowStride)
        case .downMirrored: turned(origin + lastRow, columnStride, -rowStride)
        case .leftMirrored: turned(origin, rowStride, columnStride, swapped: true)
        case .right: turned(origin + lastRow, -rowStride, columnStride, swapped: true)
        case .rightMirrored: turned(origin + lastColumn + lastRow, -rowStride, -columnStride, swapped: true)
        case .left: turned(origin + lastColumn, rowStride, -columnStride, swapped: true)
        }
    }

    /// Copies the pixels.
    public func image() -> RGBImage {
        RGBImage(width: width, height: height) { column, row in self[column, row] }
    }

    /// The red, green and blue of a pixel inside the view.
    subscript(column: Int, row: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
        let place = origin + column * columnStride + row * rowStride
        return (bytes[place + channels.red], bytes[place + channels.green], bytes[place + channels.blue])
    }

    /// Adds to three sums the weighted channels of pixels of one row, from a column on: a frame's hottest loop, with
    /// plain pointers for the sake of Debug builds. The pixels must lie inside the view.
    func sum(
        into red: inout Int32, _ green: inout Int32, _ blue: inout Int32, from column: Int, _ row: Int,
        weights: UnsafeBufferPointer<Int32>
    ) {
        guard let weight = weights.baseAddress, let base = bytes.baseAddress else { return }
        precondition(column >= 0 && column + weights.count <= width && row >= 0 && row < height, "beyond the image")
        let pixels = base.assumingMemoryBound(to: UInt8.self) + (origin + row * rowStride)
        let (redPlace, greenPlace, bluePlace) = channels
        let end = weights.count
        var place = column * columnStride
        var index = 0
        while index < end {
            let pixel = pixels + place
            let factor = weight[index]
            red = red &+ Int32(truncatingIfNeeded: pixel[redPlace]) &* factor
            green = green &+ Int32(truncatingIfNeeded: pixel[greenPlace]) &* factor
            blue = blue &+ Int32(truncatingIfNeeded: pixel[bluePlace]) &* factor
            place = place &+ columnStride
            index = index &+ 1
        }
    }

    private func turned(
        _ origin: Int, _ columnStride: Int, _ rowStride: Int, swapped: Bool = false
    ) -> PixelSource {
        PixelSource(
            width: swapped ? height : width, height: swapped ? width : height, bytes: bytes, origin: origin,
            columnStride: columnStride, rowStride: rowStride, channels: channels)
    }
}
