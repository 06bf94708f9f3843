#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// The class that is sure enough to be told, or that none is.
struct VerdictView: View {
    let verdict: Verdict

    var body: some View {
        switch verdict {
        case .sure(let prediction): Text(verbatim: prediction.label).font(.headline)
        case .unsure: Text("Unsure").font(.headline).foregroundStyle(.secondary)
        }
    }
}
#endif
