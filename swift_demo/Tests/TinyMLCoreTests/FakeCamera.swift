import Dispatch
import Foundation

@testable import TinyMLCore

/// A serial queue as an executor.
final class QueueExecutor: SerialExecutor, @unchecked Sendable {
    private let queue = DispatchQueue(label: "fake camera")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }
}

/// A camera session that notes what it was told, as the frameworks' contract describes it: a session keeps running
/// while it is interrupted, and an input of an unplugged camera gives no frames.
final class FakeCamera: CameraHardware, @unchecked Sendable {
    private let queue = QueueExecutor()
    private let lock = NSLock()
    /// Asked before the user's answer is known.
    var askUser: @Sendable () async -> Bool = { true }
    var present: [CameraInfo]
    var preferred: CameraInfo.ID?
    var broken: Set<CameraInfo.ID> = []
    private(set) var remembered: CameraInfo.ID?
    private(set) var log: [String] = []
    private(set) var sink: Int?
    private(set) var input: CameraInfo.ID?
    private(set) var isRunning = false

    init(_ present: [CameraInfo] = [.back, .front]) {
        self.present = present
        preferred = present.first?.id
    }

    var executor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }
    /// Frames reach this sink.
    var framesReach: Int? { isRunning && present.contains { $0.id == input } ? sink : nil }

    func isPermitted() async -> Bool { await askUser() }
    func cameras() -> [CameraInfo] { present }
    func preferredCamera() -> CameraInfo.ID? { preferred }
    func remember(_ camera: CameraInfo.ID) { remembered = camera }
    func open(_ camera: CameraInfo.ID) throws {
        note("open \(camera)")
        if broken.contains(camera) { throw CameraProblem.noCamera }
        input = camera
    }
    func deliver(to sink: Int?) { self.sink = sink }
    func startRunning() {
        note("start")
        isRunning = true
    }
    func stopRunning() {
        note("stop")
        isRunning = false
    }
    func setZoom(_ factor: Double) { note("zoom \(factor)") }
    func setTorch(_ isOn: Bool) { note("torch \(isOn)") }

    private func note(_ line: String) { lock.withLock { log.append(line) } }
}

extension CameraInfo {
    static let back = CameraInfo(id: "back", name: "Back", maximumZoom: 8, hasTorch: true)
    static let front = CameraInfo(id: "front", name: "Front", maximumZoom: 4)
    static let external = CameraInfo(id: "usb", name: "USB")
}

/// Every status that a controller told, in order.
final class StatusLog: @unchecked Sendable {
    private let lock = NSLock()
    private var all: [CameraStatus] = []

    var phases: [CameraPhase] { lock.withLock { all.map(\.phase) } }
    var report: @Sendable (CameraStatus) -> Void { { status in self.lock.withLock { self.all.append(status) } } }
}
