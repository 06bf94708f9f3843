import Foundation
import Testing

@testable import TinyMLCore

struct VideoTests {
    /// A video that turns from red to blue at `change` seconds; pictures at `broken` moments cannot be read.
    private struct FakeVideo: VideoSource {
        var length = 10.0
        var change = 5.0
        var broken: @Sendable (Double) -> Bool = { _ in false }

        func duration() async throws -> Double { length }

        func picture(at seconds: Double) async throws -> RGBImage {
            if broken(seconds) { throw ImageError.unreadable(name: "frame") }
            return try RGBImage(width: 1, height: 1, bytes: seconds < change ? [255, 0, 0] : [0, 0, 255])
        }
    }

    private func classify(_ image: RGBImage) -> FrameClassification {
        let red = Double(image.bytes[0]) / 255
        let predictions = [
            Prediction(label: "red", probability: red), Prediction(label: "blue", probability: 1 - red),
        ]
        return FrameClassification(
            predictions: predictions.top(.max), times: StageTimes(preprocess: 0, predict: 0, postprocess: 0))
    }

    private func analysis(_ video: FakeVideo) -> VideoAnalysis {
        VideoAnalysis(name: "clip.mov", source: video) { self.classify($0) }
    }

    @Test func stretchesFollowThePicture() async throws {
        let timeline = try await analysis(FakeVideo()).run { _ in }
        #expect(timeline.samples.count == 40)
        let segments = timeline.segments(threshold: 0.5)
        #expect(segments.map(\.label) == ["red", "blue"])
        #expect((segments[0].start, segments[1].end) == (0, 10))
        // The average over moments turns half a second after the picture at the latest.
        #expect(segments[0].end == segments[1].start && (5...5.5).contains(segments[0].end))
        // Nobody is sure for the moment between.
        #expect(timeline.segments(threshold: 0.9).map(\.label) == ["red", nil, "blue"])
        #expect(timeline.table.hasPrefix("seconds,label,probability\n0.0,red,1.0\n"))
    }

    @Test func aLongVideoIsLookedAtMoreCoarselyAndAShortOneOnce() {
        let long = VideoAnalysis.moments(duration: 7200)
        #expect(long.count == VideoAnalysis.mostMoments)
        #expect(long[1] == 12)
        #expect(VideoAnalysis.moments(duration: 0.1) == [0])
        for nothing in [0, -1, .nan, .infinity] { #expect(VideoAnalysis.moments(duration: nothing).isEmpty) }
    }

    @Test func progressGoesFromNothingTowardsAll() async throws {
        actor Seen {
            var shares: [Double] = []
            func add(_ share: Double) { shares.append(share) }
        }
        let seen = Seen()
        _ = try await analysis(FakeVideo(length: 1)).run { await seen.add($0) }
        #expect(await seen.shares == [0, 0.25, 0.5, 0.75])
    }

    @Test func damagedMomentsAreLeftOutAndADamagedVideoIsTold() async throws {
        let half = try await analysis(FakeVideo(broken: { $0 < 2 })).run { _ in }
        #expect(half.samples.first?.seconds == 2)
        await #expect(
            throws: VideoError.unreadable(name: "clip.mov", reason: Phrase("%@ cannot be read as an image", "frame"))
        ) {
            _ = try await analysis(FakeVideo(broken: { _ in true })).run { _ in }
        }
        await #expect(throws: VideoError.empty(name: "clip.mov")) {
            _ = try await analysis(FakeVideo(length: 0)).run { _ in }
        }
    }

    @Test func aStoppedAnalysisEnds() async {
        let analysis = analysis(FakeVideo())
        let task = Task { try await analysis.run { _ in withUnsafeCurrentTask { $0?.cancel() } } }
        await #expect(throws: CancellationError.self) { _ = try await task.value }
    }
}
