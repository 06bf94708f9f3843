#if canImport(CoreML)
import CoreML
import Foundation
import TinyMLCore

#if canImport(UIKit)
import UIKit
#endif

/// The system's switches: no idle timer on iOS, and on both systems an activity that neither sleeps nor is napped.
@MainActor
public final class DeviceWakefulness: WakefulnessSwitch {
    private var activity: (any NSObjectProtocol)?

    public init() {}

    public func stayAwake(reason: String) {
        #if canImport(UIKit)
        UIApplication.shared.isIdleTimerDisabled = true
        #endif
        activity = ProcessInfo.processInfo.beginActivity(
            options: [.userInitiated, .idleSystemSleepDisabled, .idleDisplaySleepDisabled], reason: reason)
    }

    public func allowSleep() {
        #if canImport(UIKit)
        UIApplication.shared.isIdleTimerDisabled = false
        #endif
        if let activity { ProcessInfo.processInfo.endActivity(activity) }
        activity = nil
    }
}
#endif
