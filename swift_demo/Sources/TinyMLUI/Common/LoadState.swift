#if canImport(SwiftUI)
import TinyMLApple
import TinyMLCore

/// Where the chosen model stands, with the classifier once it is ready.
enum LoadState {
    case none
    case loading
    case ready(CoreMLClassifier)
    case failed(String)

    var classifier: CoreMLClassifier? {
        if case .ready(let classifier) = self { classifier } else { nil }
    }

    /// What screens show of it.
    var stage: LoadStage {
        switch self {
        case .none: .none
        case .loading: .loading
        case .ready: .ready
        case .failed(let reason): .failed(reason)
        }
    }
}
#endif
