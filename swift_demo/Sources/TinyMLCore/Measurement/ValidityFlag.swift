/// What makes a measurement doubtful; the raw values stand in results.
public enum ValidityFlag: String, Sendable, CaseIterable {
    case debugBuild = "debug_build"
    case debugger
    case simulator
    case lowPowerMode = "low_power_mode"
    case thermalFair = "thermal_fair"
    case thermalSerious = "thermal_serious"
    /// Fewer than 100 samples: the 99th percentile is little else than the largest.
    case fewSamples = "few_samples"
    /// The middle values of the first and the second half of the burst differ by more than a twentieth.
    case unsteady
    /// The paced part's last ten seconds were slower than its first by more than a tenth.
    case slowedDown = "slowed_down"
    /// Frames of the paced part, all three stages of them, were not done when the next one came.
    case lateFrames = "late_frames"
    /// The app was in the background, if only for a moment.
    case background
    /// The live camera worked beside the measurement, if only for a moment.
    case besideCamera = "beside_camera"
    /// Nothing was measured: the backend only pretends.
    case simulated = "simulated_backend"

    /// The flags that hold for a whole run.
    static func standing(_ conditions: some BenchmarkConditions) -> Set<ValidityFlag> {
        var flags: Set<ValidityFlag> = []
        if conditions.isDebugBuild { flags.insert(.debugBuild) }
        if conditions.isDebuggerAttached { flags.insert(.debugger) }
        if conditions.isSimulator { flags.insert(.simulator) }
        return flags.union(passing(conditions))
    }

    /// The flags of what may come and go during a run.
    static func passing(_ conditions: some BenchmarkConditions) -> Set<ValidityFlag> {
        var flags: Set<ValidityFlag> = []
        if conditions.isLowPowerMode { flags.insert(.lowPowerMode) }
        if conditions.isInBackground { flags.insert(.background) }
        if conditions.isBesideCamera { flags.insert(.besideCamera) }
        return flags
    }

    /// The flag in words, for a screen.
    public var title: Phrase {
        switch self {
        case .debugBuild: "debug build"
        case .debugger: "a debugger was attached"
        case .simulator: "simulator"
        case .lowPowerMode: "low-power mode"
        case .thermalFair: "the device was warm"
        case .thermalSerious: "the device was hot"
        case .fewSamples: "few samples"
        case .unsteady: "unsteady"
        case .slowedDown: "slowed down"
        case .lateFrames: "late frames"
        case .background: "in the background"
        case .besideCamera: "beside the live camera"
        case .simulated: "nothing was measured"
        }
    }

    /// The flags of a result in words; one of another program stands as it is written there.
    public static func titles(of flags: [String]) -> Phrase {
        .list(flags.map { ValidityFlag(rawValue: $0)?.title ?? .verbatim($0) })
    }

    /// Whether a result with this flag says nothing about the device.
    public var invalidates: Bool {
        switch self {
        case .debugBuild, .debugger, .simulator, .lowPowerMode, .thermalSerious, .background, .besideCamera, .simulated:
            true
        case .thermalFair, .fewSamples, .unsteady, .slowedDown, .lateFrames: false
        }
    }
}
