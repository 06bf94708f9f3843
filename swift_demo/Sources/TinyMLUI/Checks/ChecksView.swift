#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// Replays the golden image and tells whether this device says what the exporter verified.
struct ChecksView: View {
    let app: AppModel
    @State private var stage = ChecksScreen.Stage.idle

    var body: some View {
        NavigationStack {
            ScreenView(screen: screen.content(), perform: { _ in Task { await run() } })
        }
        .onChange(of: app.flow.selection) { stage = .idle }
    }

    private var screen: ChecksScreen {
        var screen = ChecksScreen()
        screen.hasModel = app.flow.selected != nil
        screen.stage = stage
        return screen
    }

    private func run() async {
        guard let model = app.flow.selected else { return }
        stage = .running
        do {
            stage = .findings(try await app.loader.selfTest(of: model, units: app.flow.units))
        } catch {
            stage = .failed(Phrase(of: error))
        }
    }
}
#endif
