/// What keeps a device awake; the system's switches, or a fake in the tests.
@MainActor
public protocol WakefulnessSwitch: AnyObject {
    /// Neither sleeps nor dims nor locks from now on.
    func stayAwake(reason: String)
    /// The system decides again.
    func allowSleep()
}

/// Keeps the device awake while anything asks for it: a phone that locks in the middle of a measurement suspends it.
@MainActor
public final class Wakefulness {
    private let device: any WakefulnessSwitch
    private var holders = 0

    public init(_ device: any WakefulnessSwitch) {
        self.device = device
    }

    /// Does `work` with the device awake, however it ends; several may overlap.
    public func during<Result>(reason: String, _ work: @MainActor () async throws -> Result) async rethrows -> Result {
        holders += 1
        if holders == 1 { device.stayAwake(reason: reason) }
        defer {
            holders -= 1
            if holders == 0 { device.allowSleep() }
        }
        return try await work()
    }
}
