import Testing

@testable import TinyMLCore

struct MeterTests {
    @Test func aWindowForgetsTheOldest() throws {
        var window = SampleWindow(capacity: 3)
        #expect(window.statistics == nil)
        for value in [100, 1, 2, 3] { window.add(value) }
        let statistics = try #require(window.statistics)
        #expect(statistics.maximum == 3)
        #expect(statistics.count == 3)
    }

    @Test func readingsCountFramesAndDrops() throws {
        var meter = LiveMeter()
        #expect(meter.reading == nil)
        for frame in 0..<11 {
            let times = StageTimes(preprocess: 1_000_000, predict: (frame + 1) * 1_000_000, postprocess: 500_000)
            meter.frame(arrival: frame * 100_000_000, times: times)
        }
        meter.frameDropped()
        let reading = try #require(meter.reading)
        #expect(reading.framesPerSecond == 10)
        #expect(reading.predict.p50 == 6)
        #expect(abs(reading.predict.p95 - 10.5) < 1e-9)
        #expect(abs(reading.total.p50 - 7.5) < 1e-9)
        #expect((reading.frames, reading.droppedFrames) == (11, 1))
    }

    @Test func oneFrameHasNoRate() {
        var meter = LiveMeter()
        meter.frame(arrival: 5, times: StageTimes(preprocess: 1, predict: 1, postprocess: 1))
        #expect(meter.reading?.framesPerSecond == nil)
    }
}
