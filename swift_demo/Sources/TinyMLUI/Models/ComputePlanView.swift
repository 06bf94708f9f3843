#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// Which device the system prefers for each operation.
struct ComputePlanView: View {
    let app: AppModel
    let model: InstalledModel
    @State private var screen = ComputePlanScreen.loading

    var body: some View {
        ScreenView(screen: screen.content(), perform: { _ in })
            .task(id: app.flow.units) { await load() }
    }

    private func load() async {
        screen = .loading
        do {
            screen =
                try await app.loader.computePlan(of: model, units: app.flow.units).map(ComputePlanScreen.plan)
                ?? .absent
        } catch {
            screen = .failed(Phrase(of: error))
        }
    }
}
#endif
