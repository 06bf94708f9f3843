import Testing

@testable import TinyMLCore

struct CameraTests {
    private let camera = FakeCamera()
    private let told = StatusLog()

    private func started(_ camera: FakeCamera) async throws -> (CameraController<FakeCamera>, CameraToken) {
        let controller = CameraController(hardware: camera)
        let token = controller.token()
        try await controller.start(token, sink: 1, report: told.report)
        return (controller, token)
    }

    @Test func aStartRunsThePreferredCameraAndAStopEndsIt() async throws {
        camera.preferred = "front"
        let (controller, token) = try await started(camera)
        #expect(await controller.status.camera == .front)
        #expect(await controller.status.cameras == [.back, .front])
        #expect((camera.framesReach, told.phases.last) == (1, .running))
        await controller.stop(token)
        #expect((camera.isRunning, camera.sink) == (false, nil))
        #expect(camera.log == ["open front", "start", "stop"])
        #expect(await controller.status.phase == .idle)
    }

    @Test func anOvertakenStopDoesNotEndTheRestart() async throws {
        let (controller, first) = try await started(camera)
        let second = controller.token()
        try await controller.start(second, sink: 2, report: told.report)
        await controller.stop(first)
        #expect(camera.framesReach == 2)
        #expect(await controller.status.phase == .running)
        #expect(camera.log == ["open back", "start"])
    }

    @Test func aStartThatComesAfterItsStopOrALaterStartDoesNothing() async throws {
        let controller = CameraController(hardware: camera)
        let (first, second, third) = (controller.token(), controller.token(), controller.token())
        await controller.stop(first)
        await #expect(throws: CancellationError.self) {
            try await controller.start(first, sink: 1, report: told.report)
        }
        try await controller.start(third, sink: 3, report: told.report)
        await #expect(throws: CancellationError.self) {
            try await controller.start(second, sink: 2, report: told.report)
        }
        #expect(camera.framesReach == 3)
    }

    @Test func aStopWhileTheUserIsAskedHolds() async throws {
        let controller = CameraController(hardware: camera)
        let token = controller.token()
        camera.askUser = {
            await controller.stop(token)
            return true
        }
        await #expect(throws: CancellationError.self) {
            try await controller.start(token, sink: 1, report: told.report)
        }
        #expect(camera.log.isEmpty)
        #expect(await controller.status.phase == .idle)
    }

    /// A canceled screen's stop beside the next screen's start, in whatever order the scheduler brings them.
    @Test func aRestartIsNeverStopped() async throws {
        var lost = 0
        for _ in 0..<1000 {
            let camera = FakeCamera()
            camera.askUser = {
                await Task.yield()
                return true
            }
            let controller = CameraController(hardware: camera)
            let (first, second) = (controller.token(), controller.token())
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    try? await controller.start(first, sink: 1, report: { _ in })
                    await controller.stop(first)
                }
                group.addTask { try? await controller.start(second, sink: 2, report: { _ in }) }
            }
            if camera.framesReach != 2 { lost += 1 }
        }
        #expect(lost == 0)
    }

    @Test func aRefusalIsToldAndOpensNothing() async throws {
        camera.askUser = { false }
        let controller = CameraController(hardware: camera)
        await #expect(throws: CameraProblem.denied) {
            try await controller.start(controller.token(), sink: 1, report: told.report)
        }
        #expect(told.phases == [.starting, .failed(.denied)])
        #expect(camera.log.isEmpty)
    }

    @Test func withoutACameraItSaysSoAndTakesTheFirstThatIsPluggedIn() async throws {
        let camera = FakeCamera([])
        let controller = CameraController(hardware: camera)
        await #expect(throws: CameraProblem.noCamera) {
            try await controller.start(controller.token(), sink: 1, report: told.report)
        }
        camera.present = [.external]
        await controller.handle(.camerasChanged)
        #expect(camera.framesReach == 1)
        #expect(await controller.status.camera == .external)
    }

    @Test func anInterruptionEndsByItselfUnlessTheCameraWasStopped() async throws {
        let (controller, token) = try await started(camera)
        await controller.handle(.interrupted)
        #expect(await controller.status.phase == .interrupted)
        await controller.handle(.interruptionEnded)
        #expect(await controller.status.phase == .running)
        await controller.handle(.interrupted)
        await controller.stop(token)
        await controller.handle(.interruptionEnded)
        #expect(await controller.status.phase == .idle)
        #expect(!camera.isRunning)
    }

    @Test func aResetOfTheMediaServicesStartsAgainAndOtherErrorsAreTold() async throws {
        let (controller, _) = try await started(camera)
        await controller.handle(.runtimeError("reset", isRecoverable: true))
        #expect(camera.log == ["open back", "start", "start"])
        #expect(await controller.status.phase == .running)
        await controller.handle(.runtimeError("broken", isRecoverable: false))
        #expect(await controller.status.phase == .failed(.session("broken")))
    }

    @Test func aRuntimeErrorAfterAStopStartsNothing() async throws {
        let (controller, token) = try await started(camera)
        await controller.stop(token)
        await controller.handle(.runtimeError("reset", isRecoverable: true))
        #expect(camera.log.filter { $0 == "start" }.count == 1)
        #expect(await controller.status.phase == .idle)
    }

    @Test func anUnpluggedCameraGivesWayToAnother() async throws {
        let camera = FakeCamera([.external, .front])
        let (controller, token) = try await started(camera)
        camera.present = [.front]
        camera.preferred = "front"
        await controller.handle(.disconnected("usb"))
        #expect(await controller.status.camera == .front)
        #expect(camera.framesReach == 1)
        await controller.handle(.disconnected("other"))
        #expect(camera.framesReach == 1)
        // A camera that went while nothing ran is not kept either.
        await controller.stop(token)
        camera.present = [.back]
        camera.preferred = "back"
        try await controller.start(controller.token(), sink: 2, report: told.report)
        #expect(camera.framesReach == 2)
    }

    @Test func theLastCameraUnpluggedIsToldNotKept() async throws {
        let camera = FakeCamera([.external])
        let (controller, _) = try await started(camera)
        camera.present = []
        camera.preferred = nil
        await controller.handle(.disconnected("usb"))
        #expect(await controller.status.phase == .failed(.noCamera))
        #expect(await controller.status.camera == nil)
        #expect(!camera.isRunning)
    }

    @Test func aPauseKeepsTheStartAndAResumeGoesOn() async throws {
        let (controller, token) = try await started(camera)
        await controller.pause()
        #expect((camera.isRunning, camera.sink) == (false, 1))
        await controller.handle(.interruptionEnded)
        #expect(await controller.status.phase == .paused)
        try await controller.resume()
        #expect(camera.framesReach == 1)
        await controller.pause()
        await controller.stop(token)
        try await controller.resume()
        #expect(!camera.isRunning)
    }

    @Test func switchingGoesRoundTheCamerasAndKeepsTheChoice() async throws {
        let (controller, _) = try await started(camera)
        try await controller.zoom(3)
        try await controller.useNext()
        #expect(await controller.status.camera == .front)
        #expect(await controller.status.zoom == 1)
        #expect(camera.remembered == "front")
        try await controller.useNext()
        #expect(await controller.status.camera == .back)
        #expect(camera.framesReach == 1)
    }

    @Test func aCameraThatCannotBeOpenedLeavesTheOneBefore() async throws {
        camera.broken = ["front"]
        let (controller, _) = try await started(camera)
        await #expect(throws: CameraProblem.noCamera) { try await controller.useNext() }
        #expect(await controller.status.camera == .back)
        #expect((camera.framesReach, camera.remembered) == (1, nil))
        #expect(await controller.status.phase == .running)
    }

    @Test(arguments: [(0.2, 1.0), (3, 3), (100, 8)])
    func zoomStaysWithinTheCamera(asked: Double, allowed: Double) async throws {
        let (controller, _) = try await started(camera)
        try await controller.zoom(asked)
        #expect(await controller.status.zoom == allowed)
        #expect(camera.log.last == "zoom \(allowed)")
        try await controller.zoom(.nan)
        #expect(await controller.status.zoom == allowed)
    }

    @Test func theTorchNeedsALampAndGoesOutWithThePicture() async throws {
        let (controller, _) = try await started(camera)
        try await controller.torch(true)
        #expect(await controller.status.isTorchOn)
        await controller.handle(.interrupted)
        #expect(await !controller.status.isTorchOn)
        await controller.handle(.interruptionEnded)
        try await controller.useNext()
        try await controller.torch(true)
        #expect(await !controller.status.isTorchOn)
        #expect(camera.log.filter { $0.hasPrefix("torch") } == ["torch true"])
    }
}
