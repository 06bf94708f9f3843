import Foundation
import Testing

@testable import TinyMLCore

/// Oracle: Pillow's `Image.resize(..., BILINEAR)` and `ImageOps.exif_transpose`, in fixtures that Python wrote. Whole
/// preprocessings must be equal: both compute with the same integers. Resizes of odd proportions may differ by one,
/// since newer versions of Pillow take columns before rows where that is faster, and each pass rounds.
struct ResamplerTests {
    struct File: Decodable {
        let resizes: [Resize]
        let pipelines: [Pipeline]
    }

    struct Resize: Decodable {
        let width, height, newWidth, newHeight: Int
        let pixels, expected: Data
    }

    struct Pipeline: Decodable {
        let width, height, bytesPerRow, orientation, resize, inputSize: Int
        let format: String
        let stored, expected: Data
    }

    @Test func resizingEqualsPillow() throws {
        for fixture in try Fixtures.decode(File.self, "resampler.json").resizes {
            let image = try RGBImage(width: fixture.width, height: fixture.height, bytes: [UInt8](fixture.pixels))
            let resampler = Resampler(
                from: PixelSize(width: fixture.width, height: fixture.height),
                to: PixelSize(width: fixture.newWidth, height: fixture.newHeight))
            let resized = try image.withSource { resampler.resize($0) }
            #expect(resized.bytes.count == fixture.expected.count)
            let largest = zip(resized.bytes, fixture.expected).map { abs(Int($0) - Int($1)) }.max()
            #expect(largest.map { $0 <= 1 } == true, "\(fixture.width) x \(fixture.height): \(largest ?? -1)")
        }
    }

    @Test func preprocessingEqualsPillow() throws {
        for fixture in try Fixtures.decode(File.self, "resampler.json").pipelines {
            let format = try #require(["rgb": PixelFormat.rgb, "rgba": .rgba, "bgra": .bgra][fixture.format])
            let orientation = try #require(ImageOrientation(rawValue: fixture.orientation))
            var preprocessor = Preprocessor(Preprocess(inputSize: fixture.inputSize, resize: fixture.resize))
            let input = try fixture.stored.withUnsafeBytes { bytes in
                preprocessor.input(
                    from: try PixelSource(
                        bytes: bytes, width: fixture.width, height: fixture.height, bytesPerRow: fixture.bytesPerRow,
                        format: format), orientation: orientation)
            }
            #expect(input.bytes == [UInt8](fixture.expected), "\(fixture.format) orientation \(fixture.orientation)")
        }
    }

    @Test func aPreprocessorFollowsAChangeOfSize() throws {
        var preprocessor = Preprocessor(Preprocess(inputSize: 4, resize: 4))
        for width in [8, 20, 8] {
            let image = try RGBImage(width: width, height: 8, bytes: [UInt8](repeating: 77, count: width * 24))
            let input = try image.withSource { preprocessor.input(from: $0) }
            #expect(input.bytes == [UInt8](repeating: 77, count: 48))
        }
    }
}
