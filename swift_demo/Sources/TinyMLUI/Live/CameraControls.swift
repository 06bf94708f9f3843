#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// Pause, camera, light and zoom; what a camera cannot do is not offered.
struct CameraControls: View {
    let live: LiveModel

    var body: some View {
        HStack {
            if live.status.phase == .paused {
                Button("Resume") { live.togglePause() }
            } else {
                Button("Pause") { live.togglePause() }
            }
            if live.status.cameras.count > 1 { Button("Switch camera") { live.useNextCamera() } }
            if live.status.camera?.hasTorch == true {
                if live.status.isTorchOn {
                    Button("Light off") { live.torch(false) }
                } else {
                    Button("Light on") { live.torch(true) }
                }
            }
            if let camera = live.status.camera, camera.maximumZoom > 1 {
                Button("Zoom out") { live.zoom(live.status.zoom / 1.5) }.disabled(live.status.zoom <= 1)
                Button("Zoom in") { live.zoom(live.status.zoom * 1.5) }
                    .disabled(live.status.zoom >= camera.maximumZoom)
            }
        }
        .buttonStyle(.bordered)
        .font(.footnote)
    }
}
#endif
