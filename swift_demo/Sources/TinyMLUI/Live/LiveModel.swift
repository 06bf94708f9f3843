#if canImport(SwiftUI)
import Foundation
import Observation
import TinyMLApple
import TinyMLCore

/// The live screen's state: what the camera sees now and how fast that is told.
@MainActor
@Observable
final class LiveModel {
    private(set) var update: LiveUpdate?
    private(set) var problem: String?
    private(set) var camera: CameraHandle?
    let capture = CameraCapture()

    /// Classifies frames until the surrounding task is canceled or a prediction fails.
    func run(_ classifier: CoreMLClassifier) async {
        problem = nil
        do {
            let updates = try await capture.start(classifier)
            camera = await capture.currentDevice
            for try await update in updates { self.update = update }
        } catch {
            problem = "\(error)"
        }
        await capture.stop()
    }

    /// Forgets what went wrong, so that the screen starts again.
    func retry() { problem = nil }

    /// Follows the device's rotation.
    func rotate(degrees: Double) {
        Task { await capture.setRotation(degrees: degrees) }
    }
}
#endif
