import Testing

@testable import TinyMLCore

struct PhotoSizeTests {
    @Test func ordinaryPhotosAreDecodedWhole() {
        for (width, height) in [(4032, 3024), (3024, 4032), (640, 480), (1, 1), (0, 0)] {
            #expect(PhotoSize.thumbnail(of: PixelSize(width: width, height: height)) == nil)
        }
    }

    @Test func fortyEightMegapixelsGoThroughAThumbnail() {
        #expect(PhotoSize.thumbnail(of: PixelSize(width: 8064, height: 6048)) == 1366)
        #expect(PhotoSize.thumbnail(of: PixelSize(width: 6048, height: 8064)) == 1366)
    }

    @Test func aPanoramasShorterSideStaysLargeEnough() throws {
        let panorama = PixelSize(width: 16000, height: 3800)
        let longer = try #require(PhotoSize.thumbnail(of: panorama))
        #expect(longer * panorama.height / panorama.width >= 1024)
        // Nothing is enlarged, and absurd sizes overflow nothing.
        #expect(PhotoSize.thumbnail(of: PixelSize(width: 1_000_000, height: 100)) == 1_000_000)
        #expect(PhotoSize.thumbnail(of: PixelSize(width: .max, height: .max)) == 1024)
    }
}
