#if canImport(SwiftUI)
import Foundation
import Observation
import TinyMLApple
import TinyMLCore

/// What all windows and screens share: the models, the benchmark, and what else is going on. One for the whole app.
@MainActor
@Observable
public final class AppModel {
    let flow: ModelFlow<ModelLoader>
    let benchmark = BenchmarkModel()
    /// How often the camera was asked for from outside; windows that see it change show the camera.
    private(set) var cameraRequests = 0
    @ObservationIgnored let loader = ModelLoader()
    @ObservationIgnored let activity = AppActivity()

    public init() {
        flow = ModelFlow(
            shelf: loader, choiceFile: ChoiceFile(folder: AppFolders.support),
            isSimulator: DeviceConditions().isSimulator)
        _ = NotificationCenter.default.addObserver(forName: Self.showCamera, object: nil, queue: .main) {
            [weak self] _ in
            guard let self else { return }
            MainActor.assumeIsolated { self.cameraRequests += 1 }
        }
    }

    /// Posted where the camera is asked for from outside the app's windows.
    public static let showCamera = Notification.Name("org.tinyml.demo.show-camera")

    /// Tells the app whether any of its windows is in front.
    public func isInBackground(_ isInBackground: Bool) { activity.isInBackground = isInBackground }

    /// What the app's files take up; nil where it cannot be counted.
    func storage() async -> StorageUse? {
        await Task.detached { try? AppFolders.storage() }.value
    }
}
#endif
