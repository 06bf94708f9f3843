#if canImport(CoreML)
@preconcurrency import AVFoundation
import CoreVideo
import TinyMLCore

/// Classifies frames on the camera's queue, synchronously: a frame that comes while one is being looked at is dropped
/// by the camera, so nothing piles up.
///
/// Used on one queue only, which is what makes the unchecked conformance right; results leave as values.
final class FrameDelegate: NSObject, AVCaptureVideoDataOutputSampleBufferDelegate, @unchecked Sendable {
    private let sink: LiveSink
    private let clock = SystemClock()
    private var pipeline: FramePipeline<CVPixelBuffer>

    init(_ sink: LiveSink) {
        self.sink = sink
        pipeline = FramePipeline(classifier: sink.classifier, other: sink.other, capture: sink.capture) { frame in
            try PixelBufferBridge.withSource(frame) { $0.image() }
        }
    }

    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        guard let frame = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
        do {
            let (update, photo) = try pipeline.take(frame, arrival: clock.now)
            if let update { sink.updates.yield(update) }
            if let photo { sink.captured.yield(photo) }
        } catch {
            sink.updates.finish(throwing: error)
        }
    }

    func captureOutput(
        _ output: AVCaptureOutput, didDrop sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        pipeline.frameDropped()
    }
}
#endif
