#if canImport(WidgetKit)
import AppIntents
import SwiftUI
import WidgetKit

/// What the app puts into Control Center, onto the Lock Screen and the Action button.
// Where everything is type-checked as one module, the app is its entry point.
#if !TINYML_ONE_MODULE
@main
#endif
@available(iOS 18.0, macOS 26.0, *)
struct TinyMLControls: WidgetBundle {
    var body: some Widget {
        CameraControl()
    }
}

/// A button that opens the camera screen.
@available(iOS 18.0, macOS 26.0, *)
struct CameraControl: ControlWidget {
    var body: some ControlWidgetConfiguration {
        StaticControlConfiguration(kind: "org.tinyml.demo.camera") {
            ControlWidgetButton(action: OpenCameraIntent()) {
                Label("Classify with the camera", systemImage: "camera.viewfinder")
            }
        }
        .displayName("Classify with the camera")
        .description("Opens the camera and says what it sees.")
    }
}
#endif
