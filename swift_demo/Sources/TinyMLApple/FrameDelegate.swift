#if canImport(CoreML)
@preconcurrency import AVFoundation
import TinyMLCore

/// Classifies frames on the camera's queue, synchronously: a frame that comes while one is being looked at is dropped
/// by the camera, so nothing piles up.
///
/// Used on one queue only, which is what makes the unchecked conformance right; results leave as values.
final class FrameDelegate: NSObject, AVCaptureVideoDataOutputSampleBufferDelegate, @unchecked Sendable {
    /// At most ten updates a second reach the screen.
    private static let updateInterval = 100_000_000

    private let classifier: CoreMLClassifier
    private let updates: AsyncThrowingStream<LiveUpdate, any Error>.Continuation
    private let clock = SystemClock()
    private var meter = LiveMeter()
    private var lastUpdate: Int?

    init(classifier: CoreMLClassifier, updates: AsyncThrowingStream<LiveUpdate, any Error>.Continuation) {
        self.classifier = classifier
        self.updates = updates
    }

    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        guard let frame = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
        let arrival = clock.now
        do {
            let result = try classifier.classify(frame)
            meter.frame(arrival: arrival, times: result.times)
            guard lastUpdate.map({ arrival - $0 >= Self.updateInterval }) ?? true, let reading = meter.reading else {
                return
            }
            lastUpdate = arrival
            updates.yield(LiveUpdate(top: result.top, reading: reading))
        } catch {
            updates.finish(throwing: error)
        }
    }

    func captureOutput(
        _ output: AVCaptureOutput, didDrop sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        meter.frameDropped()
    }
}
#endif
