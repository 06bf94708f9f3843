#if canImport(CoreML)
import TinyMLCore

/// Who looks at the camera's frames, and where the answers go.
public struct LiveSink: Sendable {
    let classifier: CoreMLClassifier
    /// A second model to compare with; nil for none.
    let other: CoreMLClassifier?
    let settings: LiveSettings
    let updates: AsyncThrowingStream<LiveUpdate, any Error>.Continuation

    public init(
        classifier: CoreMLClassifier, other: CoreMLClassifier? = nil, settings: LiveSettings,
        updates: AsyncThrowingStream<LiveUpdate, any Error>.Continuation
    ) {
        self.classifier = classifier
        self.other = other
        self.settings = settings
        self.updates = updates
    }
}
#endif
