#if canImport(AppIntents)
import AppIntents
import Foundation

/// Opens the app on its camera screen. The control names it, and the app performs it, so both are built with it.
struct OpenCameraIntent: AppIntent {
    static let title: LocalizedStringResource = "Classify with the camera"
    static let openAppWhenRun = true
    #if compiler(>=6.2)
    // What newer systems ask instead; the SDK of Xcode 16 does not know it.
    @available(iOS 26.0, macOS 26.0, *)
    static var supportedModes: IntentModes { .foreground }
    #endif

    func perform() async throws -> some IntentResult {
        // The app may be on another screen and listens on its main queue; one that was just started shows the camera
        // anyway.
        NotificationCenter.default.post(name: Notification.Name("org.tinyml.demo.show-camera"), object: nil)
        return .result()
    }
}
#endif
