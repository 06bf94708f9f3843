#if canImport(SwiftUI)
import SwiftUI
import TinyMLApple
import TinyMLCore

/// The camera's picture beside or above the answer and the speed.
struct LiveView: View {
    let app: AppModel
    @State private var live = LiveModel()
    @State private var attempt = 0

    var body: some View {
        NavigationStack {
            LoadStateView(app: app) {
                content.task(id: Choice(app: app, attempt: attempt)) {
                    guard let classifier = app.state.classifier else { return }
                    await live.run(classifier, beside: nil)
                }
            }
            .navigationTitle("Camera")
        }
        .task { await live.watch() }
    }

    @ViewBuilder private var content: some View {
        if let obstacle = live.obstacle {
            CameraObstacleView(reason: obstacle, isDenied: live.isDenied) {
                live.retry()
                attempt += 1
            }
        } else {
            GeometryReader { space in
                if space.size.width > space.size.height {
                    HStack {
                        picture; answers
                    }.padding()
                } else {
                    VStack {
                        picture; answers
                    }.padding()
                }
            }
        }
    }

    private var picture: some View {
        VStack {
            CameraPreviewView(preview: live.controller.hardware.preview, camera: live.camera) {
                live.rotate(degrees: $0)
            }
            .frame(minWidth: 160, maxWidth: .infinity, minHeight: 160)
            .accessibilityElement(children: .ignore)
            .accessibilityLabel(Text("Camera picture"))
            CameraControls(live: live)
        }
    }

    private var answers: some View {
        ScrollView {
            VStack(alignment: .leading, spacing: 16) {
                if live.status.phase == .interrupted {
                    Label("Another app is using the camera", systemImage: "pause.circle")
                }
                if let update = live.update {
                    VerdictView(verdict: Verdict(update.top, threshold: app.choices.threshold))
                    PredictionList(predictions: update.top)
                    SpeedView(reading: update.reading)
                }
            }
        }
        .frame(minWidth: 200, maxWidth: .infinity, minHeight: 120)
    }

    /// What the camera is started for.
    private struct Choice: Hashable {
        let classifier: ObjectIdentifier?
        let attempt: Int

        @MainActor init(app: AppModel, attempt: Int) {
            classifier = app.state.classifier.map(ObjectIdentifier.init)
            self.attempt = attempt
        }
    }
}
#endif
