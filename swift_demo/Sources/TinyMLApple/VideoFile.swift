#if canImport(CoreML)
@preconcurrency import AVFoundation
import Foundation
import TinyMLCore

/// A video file, its pictures turned upright and no larger than a model can use.
///
/// The generator is made once and only asked for pictures, which it is documented to hand out asynchronously.
public struct VideoFile: VideoSource, @unchecked Sendable {
    private let asset: AVURLAsset
    private let generator: AVAssetImageGenerator
    private let name: String

    public init(_ file: URL) {
        name = file.lastPathComponent
        asset = AVURLAsset(url: file)
        generator = AVAssetImageGenerator(asset: asset)
        generator.appliesPreferredTrackTransform = true
        generator.maximumSize = CGSize(width: 640, height: 640)
        // The next picture within half a step will do, and costs less than the exact one.
        let tolerance = CMTime(seconds: 0.125, preferredTimescale: 600)
        generator.requestedTimeToleranceBefore = tolerance
        generator.requestedTimeToleranceAfter = tolerance
    }

    public func duration() async throws -> Double { try await asset.load(.duration).seconds }

    public func picture(at seconds: Double) async throws -> RGBImage {
        let made = try await generator.image(at: CMTime(seconds: seconds, preferredTimescale: 600))
        return try ImageFileReader.pixels(of: made.image, name: name)
    }
}
#endif
