#if canImport(CoreML)
@preconcurrency import AVFoundation
import TinyMLCore

/// Classifies frames on the camera's queue, synchronously: a frame that comes while one is being looked at is dropped
/// by the camera, so nothing piles up.
///
/// Used on one queue only, which is what makes the unchecked conformance right; results leave as values.
final class FrameDelegate: NSObject, AVCaptureVideoDataOutputSampleBufferDelegate, @unchecked Sendable {
    private let sink: LiveSink
    private let clock = SystemClock()
    private var reporter = LiveReporter()

    init(_ sink: LiveSink) {
        self.sink = sink
    }

    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        guard let frame = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
        let arrival = clock.now
        do {
            let result = try sink.classifier.classify(frame)
            let other = try sink.other?.classify(frame)
            if let update = reporter.frame(arrival: arrival, result, other: other) { sink.updates.yield(update) }
            if sink.capture.take() {
                let image = try PixelBufferBridge.withSource(frame) { $0.image() }
                sink.captured.yield(CapturedPhoto(image: image, predictions: result.predictions))
            }
        } catch {
            sink.updates.finish(throwing: error)
        }
    }

    func captureOutput(
        _ output: AVCaptureOutput, didDrop sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        reporter.frameDropped()
    }
}
#endif
