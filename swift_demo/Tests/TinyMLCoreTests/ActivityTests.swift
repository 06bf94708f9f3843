import Dispatch
import Foundation
import Testing

@testable import TinyMLCore

/// Keeping awake, what runs beside a measurement, and work that blocks.
struct ActivityTests {
    @MainActor
    private final class FakeSwitch: WakefulnessSwitch {
        var log: [String] = []
        func stayAwake(reason: String) { log.append("awake: \(reason)") }
        func allowSleep() { log.append("asleep") }
    }

    private struct Failure: Error {}

    @MainActor
    @Test func theDeviceStaysAwakeForARunHoweverItEnds() async {
        let device = FakeSwitch()
        let wakefulness = Wakefulness(device)
        await wakefulness.during(reason: "a run") { #expect(device.log == ["awake: a run"]) }
        #expect(device.log == ["awake: a run", "asleep"])
        await #expect(throws: Failure.self) { try await wakefulness.during(reason: "b") { throw Failure() } }
        #expect(device.log.last == "asleep")
        let canceled = Task {
            await wakefulness.during(reason: "c") { try? await Task.sleep(nanoseconds: 60_000_000_000) }
        }
        canceled.cancel()
        await canceled.value
        #expect(device.log.suffix(2) == ["awake: c", "asleep"])
    }

    @MainActor
    @Test func overlappingRunsAllowSleepOnlyAfterTheLast() async {
        let device = FakeSwitch()
        let wakefulness = Wakefulness(device)
        await wakefulness.during(reason: "outer") {
            await wakefulness.during(reason: "inner") {}
            #expect(device.log == ["awake: outer"])
        }
        #expect(device.log == ["awake: outer", "asleep"])
    }

    @Test func theCameraIsLiveInAnyWindow() async {
        let activity = AppActivity()
        #expect(!activity.isCameraLive)
        await activity.whileCameraIsLive {
            await activity.whileCameraIsLive {}
            #expect(activity.isCameraLive)
        }
        #expect(!activity.isCameraLive)
        activity.isInBackground = true
        #expect(activity.isInBackground)
    }

    @Test func workThatBlocksHoldsNoSharedThread() async throws {
        // More pieces of blocking work than there are shared threads: if they held those, nothing could release them.
        let count = ProcessInfo.processInfo.activeProcessorCount * 4
        let gate = DispatchSemaphore(value: 0)
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<count {
                group.addTask {
                    try await WorkQueue(label: "blocking \(number)").run {
                        gate.wait()
                        return 1
                    }
                }
            }
            group.addTask {
                for _ in 0..<count { gate.signal() }
                return 0
            }
            return try await group.reduce(0, +)
        }
        #expect(total == count)
    }

    @Test func aQueueWaitsForAsynchronousWork() async throws {
        let queue = WorkQueue(label: "waiting")
        let value = try await queue.run {
            try Blocking.value {
                await Task.yield()
                return 7
            }
        }
        #expect(value == 7)
        await #expect(throws: Failure.self) {
            try await queue.run { try Blocking.value { () -> Int in throw Failure() } }
        }
    }
}
