import Testing

@testable import TinyMLCore

struct PixelTests {
    private let image = RGBImage(checkedWidth: 2, height: 1, bytes: [1, 2, 3, 4, 5, 6])

    @Test func colorsLieApartForWhatTakesNumbers() {
        #expect(image.planar == [1, 4, 2, 5, 3, 6])
    }

    @Test func bgraRowsKeepTheirPadding() throws {
        var target = [UInt8](repeating: 9, count: 12)
        try target.withUnsafeMutableBytes { try image.writeBGRA(to: $0, bytesPerRow: 12) }
        #expect(target == [3, 2, 1, 255, 6, 5, 4, 255, 9, 9, 9, 9])
    }

    @Test func bgraReadsBackAsItWasWritten() throws {
        var target = [UInt8](repeating: 0, count: 8)
        try target.withUnsafeMutableBytes { try image.writeBGRA(to: $0, bytesPerRow: 8) }
        let read = try target.withUnsafeBytes {
            try PixelSource(bytes: $0, width: 2, height: 1, bytesPerRow: 8, format: .bgra).image()
        }
        #expect(read == image)
    }

    @Test func aTargetTooSmallIsRefused() {
        var target = [UInt8](repeating: 0, count: 7)
        #expect(throws: ImageError.tooFewBytes(needed: 8, found: 7)) {
            try target.withUnsafeMutableBytes { try image.writeBGRA(to: $0, bytesPerRow: 8) }
        }
    }

    @Test func bytesThatDoNotReachAreRefused() {
        let bytes = [UInt8](repeating: 0, count: 23)
        #expect(throws: ImageError.tooFewBytes(needed: 24, found: 23)) {
            try bytes.withUnsafeBytes {
                _ = try PixelSource(bytes: $0, width: 2, height: 2, bytesPerRow: 16, format: .bgra)
            }
        }
        #expect(throws: ImageError.empty(width: 0, height: 2)) { try RGBImage(width: 0, height: 2, bytes: []) }
    }

    @Test func redAndBlueAreSwapped() {
        #expect(image.redAndBlueSwapped.bytes == [3, 2, 1, 6, 5, 4])
    }
}
