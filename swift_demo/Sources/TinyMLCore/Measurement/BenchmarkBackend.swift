/// What runs a model, in the steps that are timed apart. Called from one thread, never from an async context.
public protocol BenchmarkBackend {
    /// The backend's name in results.
    var name: String { get }
    /// What must precede compiling and is no part of it, such as checking the package; not timed.
    func prepare() throws
    /// Compiles the model anew, as at its first use on a device.
    func compile() throws
    /// Puts what was compiled where `load` finds it; not timed.
    func store() throws
    /// Loads the compiled model for some compute units.
    func load(units: Units) throws -> any BenchmarkSession
    /// Where the framework means to run each op; nil where it does not say. Asked after everything was measured, since
    /// a framework that plans loads the model too.
    func placement(units: Units) -> Placement?
}

/// A loaded model with an image to classify; one frame is the three steps in their order. Letting go of it unloads it.
public protocol BenchmarkSession {
    func preprocess() throws
    func predict() throws
    func postprocess() throws
}

/// The conditions under which a measurement is taken.
public protocol BenchmarkConditions {
    var thermalState: ThermalState { get }
    var isLowPowerMode: Bool { get }
    var isDebugBuild: Bool { get }
    var isDebuggerAttached: Bool { get }
    var isSimulator: Bool { get }
    /// Whether the app is in the background, where it is slowed and refused the GPU.
    var isInBackground: Bool { get }
    /// Whether the live camera works beside the measurement.
    var isBesideCamera: Bool { get }
    /// The process's memory footprint; nil where it cannot be read.
    var memoryBytes: Int? { get }
}
