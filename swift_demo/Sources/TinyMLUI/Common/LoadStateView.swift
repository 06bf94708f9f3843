#if canImport(SwiftUI)
import SwiftUI

/// Shows what keeps a screen from working, or the screen itself once the model is loaded.
struct LoadStateView<Content: View>: View {
    let app: AppModel
    @ViewBuilder let content: () -> Content

    var body: some View {
        switch app.state {
        case .ready:
            content()
        case .loading:
            VStack(spacing: 12) {
                ProgressView()
                Text("Preparing the model")
                Text("The first time on a device this can take a minute.").font(.footnote).foregroundStyle(.secondary)
            }
            .accessibilityElement(children: .combine)
        case .none:
            ContentUnavailableView(
                "No model chosen", systemImage: "shippingbox", description: Text("Choose one under Models."))
        case .failed(let reason):
            ContentUnavailableView(
                "The model cannot be used", systemImage: "exclamationmark.triangle",
                description: Text(verbatim: reason))
        }
    }
}
#endif
