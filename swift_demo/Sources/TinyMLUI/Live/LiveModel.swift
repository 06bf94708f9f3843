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
    private(set) var status = CameraStatus()
    /// Why a prediction or a control failed; what the camera itself says is in the status.
    private(set) var problem: Phrase?
    private(set) var camera: CameraHandle?
    /// The frame that was asked for, with its answer.
    var captured: CapturedPhoto?
    /// The lines of the recording that goes on; nil while nothing is recorded.
    private(set) var recordedLines: Int?
    /// The newest recording that has ended.
    private(set) var recording: URL?
    @ObservationIgnored private let recorder = AnswerRecorder(AnswerRecordings(folder: AppFolders.answers))
    private let capture = CaptureRequest()
    /// Made when it is first asked for: a view's state is made anew, and thrown away, whenever its parent is drawn.
    @ObservationIgnored private(set) lazy var controller = CameraController(hardware: CameraSession())

    /// Classifies frames until the surrounding task is canceled or a prediction fails; each update of the screen is
    /// told to `report` too.
    func run(
        _ classifier: LoadedClassifier, beside other: LoadedClassifier?, report: @MainActor (LiveUpdate) -> Void
    ) async {
        // Taken before anything waits: starts are told apart in the order in which the screens asked for them.
        let token = controller.token()
        problem = nil
        update = nil
        let (updates, continuation) = AsyncThrowingStream.makeStream(
            of: LiveUpdate.self, throwing: (any Error).self, bufferingPolicy: .bufferingNewest(1))
        let (states, statusContinuation) = AsyncStream.makeStream(of: CameraStatus.self)
        let (photos, photoContinuation) = AsyncStream.makeStream(of: CapturedPhoto.self)
        let photographer = Task { for await photo in photos { captured = photo } }
        let watcher = Task {
            for await status in states {
                self.status = status
                self.camera = await controller.currentDevice
            }
        }
        do {
            let sink = LiveSink(
                classifier: classifier, other: other, updates: continuation, capture: capture,
                captured: photoContinuation)
            do {
                try await controller.start(token, sink: sink) { statusContinuation.yield($0) }
            } catch is CameraProblem {
                // The status says it, and it may end: a camera is plugged in, and its frames come.
            }
            for try await update in updates {
                self.update = update
                report(update)
            }
        } catch is CancellationError {
            // Another start took the camera.
        } catch {
            problem = Phrase(of: error)
        }
        await controller.stop(token)
        statusContinuation.finish()
        photoContinuation.finish()
        await photographer.value
        await watcher.value
    }

    /// Follows what the system does to the camera until the surrounding task is canceled.
    func watch() async { await CameraEvents.watch(controller) }

    /// Stops the picture for a while, or goes on.
    func togglePause() {
        if status.phase == .paused {
            control { try await $0.resume() }
        } else {
            control { await $0.pause() }
        }
    }

    func useNextCamera() { control { try await $0.useNext() } }

    func zoom(_ factor: Double) { control { try await $0.zoom(factor) } }

    func torch(_ isOn: Bool) { control { try await $0.torch(isOn) } }

    /// Keeps the next frame, with its answer, as a photo.
    func takePhoto() { capture.ask() }

    /// Begins or ends a recording of the answers.
    func record(_ isWanted: Bool) throws {
        defer { followRecording() }
        try isWanted ? recorder.begin() : recorder.end()
    }

    /// Writes an update into the recording, if one goes on.
    func record(_ update: LiveUpdate, model: String, second: String?, threshold: Double) throws {
        defer { followRecording() }
        try recorder.take(update, model: model, second: second, threshold: threshold)
    }

    private func followRecording() {
        recordedLines = recorder.lines
        recording = recorder.finished
    }

    /// Forgets what went wrong, so that the screen starts again.
    func retry() {
        problem = nil
        status = CameraStatus()
    }

    /// Follows the device's rotation.
    func rotate(degrees: Double) {
        Task { await controller.setRotation(degrees: degrees) }
    }

    private func control(_ work: @escaping (CameraController<CameraSession>) async throws -> Void) {
        Task {
            do { try await work(controller) } catch { problem = Phrase(of: error) }
        }
    }
}
#endif
