#if canImport(SwiftUI)
import TinyMLApple

/// Where the chosen model stands.
enum LoadState {
    case none
    case loading
    case ready(CoreMLClassifier)
    case failed(String)

    var classifier: CoreMLClassifier? {
        if case .ready(let classifier) = self { classifier } else { nil }
    }
}
#endif
