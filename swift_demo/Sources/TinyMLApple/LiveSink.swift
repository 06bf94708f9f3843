#if canImport(CoreML)
import TinyMLCore

/// Who looks at the camera's frames, and where the answers go.
public struct LiveSink: Sendable {
    let classifier: LoadedClassifier
    /// A second model to compare with; nil for none.
    let other: LoadedClassifier?
    let updates: AsyncThrowingStream<LiveUpdate, any Error>.Continuation
    let capture: CaptureRequest
    let captured: AsyncStream<CapturedPhoto>.Continuation

    /// A frame that `capture` asks for goes to `captured` with its answer.
    public init(
        classifier: LoadedClassifier, other: LoadedClassifier? = nil,
        updates: AsyncThrowingStream<LiveUpdate, any Error>.Continuation, capture: CaptureRequest,
        captured: AsyncStream<CapturedPhoto>.Continuation
    ) {
        self.classifier = classifier
        self.other = other
        self.updates = updates
        self.capture = capture
        self.captured = captured
    }
}
#endif
