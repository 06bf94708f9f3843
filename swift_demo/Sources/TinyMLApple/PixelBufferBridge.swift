#if canImport(CoreML)
import CoreVideo
import TinyMLCore

/// Core Video's buffers as the core's views of pixels, and back.
enum PixelBufferBridge {
    /// An empty buffer of blue, green, red, alpha.
    static func makeBuffer(width: Int, height: Int) throws -> CVPixelBuffer {
        var buffer: CVPixelBuffer?
        // Without a surface the GPU and the Neural Engine would copy the pixels before every prediction.
        let attributes: [String: Any] = [kCVPixelBufferIOSurfacePropertiesKey as String: [String: Any]()]
        let code = CVPixelBufferCreate(
            nil, width, height, kCVPixelFormatType_32BGRA, attributes as CFDictionary, &buffer)
        guard code == kCVReturnSuccess, let buffer else { throw AppleError.noPixelBuffer(code: code) }
        return buffer
    }

    /// Copies an image into a buffer of its size.
    static func write(_ image: RGBImage, to buffer: CVPixelBuffer) throws {
        CVPixelBufferLockBaseAddress(buffer, [])
        defer { CVPixelBufferUnlockBaseAddress(buffer, []) }
        guard let base = CVPixelBufferGetBaseAddress(buffer) else { throw AppleError.noPixelBuffer(code: 0) }
        let bytesPerRow = CVPixelBufferGetBytesPerRow(buffer)
        let bytes = UnsafeMutableRawBufferPointer(start: base, count: bytesPerRow * CVPixelBufferGetHeight(buffer))
        try image.writeBGRA(to: bytes, bytesPerRow: bytesPerRow)
    }

    /// Calls `body` with a view of a buffer of blue, green, red, alpha; the rows' padding is respected.
    static func withSource<Result>(_ buffer: CVPixelBuffer, _ body: (PixelSource) throws -> Result) throws -> Result {
        CVPixelBufferLockBaseAddress(buffer, .readOnly)
        defer { CVPixelBufferUnlockBaseAddress(buffer, .readOnly) }
        guard let base = CVPixelBufferGetBaseAddress(buffer) else { throw AppleError.noPixelBuffer(code: 0) }
        let (width, height) = (CVPixelBufferGetWidth(buffer), CVPixelBufferGetHeight(buffer))
        let bytesPerRow = CVPixelBufferGetBytesPerRow(buffer)
        let bytes = UnsafeRawBufferPointer(start: base, count: bytesPerRow * height)
        return try body(
            PixelSource(bytes: bytes, width: width, height: height, bytesPerRow: bytesPerRow, format: .bgra))
    }
}
#endif
