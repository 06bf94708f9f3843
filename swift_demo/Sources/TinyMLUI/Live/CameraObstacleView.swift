#if canImport(SwiftUI)
import SwiftUI

#if canImport(UIKit)
import UIKit
#endif

/// Why there is no picture, and what can be done.
struct CameraObstacleView: View {
    let reason: String
    let isDenied: Bool
    let retry: () -> Void
    @Environment(\.openURL) private var openURL

    var body: some View {
        VStack {
            ContentUnavailableView(
                "No live picture", systemImage: "camera.badge.ellipsis", description: Text(verbatim: reason))
            if isDenied, let settings {
                Button("Open Settings") { openURL(settings) }.buttonStyle(.bordered)
            }
            Button("Try again") { retry() }.buttonStyle(.bordered)
        }
        .padding()
    }

    private var settings: URL? {
        #if canImport(UIKit)
        URL(string: UIApplication.openSettingsURLString)
        #else
        nil  // macOS documents no address of its camera settings
        #endif
    }
}
#endif
