#if canImport(CoreML)
import Foundation
import TinyMLCore

/// The device's state, asked anew each time.
public struct DeviceConditions: BenchmarkConditions, Sendable {
    private let activity: AppActivity?

    /// The conditions of this process; `activity` is the app's, nil for a program without windows.
    public init(activity: AppActivity? = nil) {
        self.activity = activity
    }

    public var isInBackground: Bool { activity?.isInBackground ?? false }

    public var isBesideCamera: Bool { activity?.isCameraLive ?? false }

    public var thermalState: ThermalState {
        switch ProcessInfo.processInfo.thermalState {
        case .nominal: .nominal
        case .fair: .fair
        case .serious: .serious
        case .critical: .critical
        @unknown default: .fair
        }
    }

    public var isLowPowerMode: Bool { ProcessInfo.processInfo.isLowPowerModeEnabled }

    public var isDebugBuild: Bool {
        #if DEBUG
        true
        #else
        false
        #endif
    }

    public var isDebuggerAttached: Bool { ProcessFacts.isTraced }

    public var isSimulator: Bool {
        #if targetEnvironment(simulator)
        true
        #else
        false
        #endif
    }

    public var memoryBytes: Int? { ProcessFacts.memoryFootprint }

    /// The environment of a measurement that begins now.
    public var environment: MachineEnvironment {
        SystemFacts.environment(thermalState: thermalState, lowPowerMode: isLowPowerMode)
    }
}
#endif
