#if canImport(SwiftUI)
import SwiftUI
import TinyMLUI

/// The demo: camera to class, on the device, measured.
@main
struct TinyMLDemoApp: App {
    /// One for all windows: a second one would take the first one's loading for a crash.
    @State private var app = AppModel()
    @Environment(\.scenePhase) private var phase

    var body: some Scene {
        WindowGroup { RootView(app: app) }
            .onChange(of: phase, initial: true) { app.isInBackground(phase == .background) }
    }
}
#endif
