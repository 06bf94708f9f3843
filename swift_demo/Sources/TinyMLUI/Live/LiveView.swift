#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// The camera's picture, the best classes and the speed.
struct LiveView: View {
    let app: AppModel
    @State private var live = LiveModel()

    var body: some View {
        NavigationStack {
            LoadStateView(app: app) {
                if let problem = live.problem {
                    VStack {
                        ContentUnavailableView(
                            "No live picture", systemImage: "camera.badge.ellipsis",
                            description: Text(verbatim: problem))
                        Button("Try again") { live.retry() }.buttonStyle(.bordered)
                    }
                    .padding()
                } else {
                    picture
                }
            }
            .navigationTitle("Camera")
        }
    }

    private var picture: some View {
        ScrollView {
            VStack(alignment: .leading, spacing: 16) {
                CameraPreviewView(preview: live.capture.preview, camera: live.camera) { live.rotate(degrees: $0) }
                    .aspectRatio(1, contentMode: .fit)
                    .accessibilityLabel(Text("Camera picture"))
                PredictionList(predictions: live.update?.top ?? [])
                if let reading = live.update?.reading { SpeedView(reading: reading) }
            }
            .padding()
        }
        .task(id: classifierID) {
            if let classifier = app.state.classifier { await live.run(classifier) }
        }
    }

    private var classifierID: ObjectIdentifier? { app.state.classifier.map(ObjectIdentifier.init) }
}
#endif
