#if canImport(SwiftUI)
import SwiftUI
import TinyMLUI

/// The demo: camera to class, on the device, measured.
@main
struct TinyMLDemoApp: App {
    var body: some Scene {
        WindowGroup { RootView() }
    }
}
#endif
