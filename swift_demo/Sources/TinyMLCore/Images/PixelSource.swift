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

    private func turned(
        _ origin: Int, _ columnStride: Int, _ rowStride: Int, swapped: Bool = false
    ) -> PixelSource {
        PixelSource(
            width: swapped ? height : width, height: swapped ? width : height, bytes: bytes, origin: origin,
            columnStride: columnStride, rowStride: rowStride, channels: channels)
    }
}
