/// A camera that can be chosen.
public struct CameraInfo: Hashable, Sendable, Identifiable {
    public let id: String
    /// The system's own name, in the user's language.
    public let name: String
    /// The largest zoom that is worth offering; 1 where the camera cannot zoom.
    public let maximumZoom: Double
    public let hasTorch: Bool

    public init(id: String, name: String, maximumZoom: Double = 1, hasTorch: Bool = false) {
        self.id = id
        self.name = name
        self.maximumZoom = maximumZoom
        self.hasTorch = hasTorch
    }
}

/// What a camera session can be asked. Every method but `isPermitted` is called on `executor` alone.
///
/// The frameworks' session on Apple's systems; a fake in the tests.
public protocol CameraHardware: Sendable {
    /// Where frames go.
    associatedtype Sink: Sendable

    /// The queue that the session is configured on: starting a session blocks for as long as a second.
    var executor: UnownedSerialExecutor { get }

    /// Whether the user lets the camera be used; asks where nobody was asked yet.
    func isPermitted() async -> Bool
    /// The cameras that are there now; asked anew each time, since cameras are plugged in and out.
    func cameras() -> [CameraInfo]
    /// The camera that the user or the system prefers; nil where there is none.
    func preferredCamera() -> CameraInfo.ID?
    /// Makes a camera the session's only input.
    func open(_ camera: CameraInfo.ID) throws
    /// Keeps the user's choice of a camera for the next launch.
    func remember(_ camera: CameraInfo.ID)
    /// Sends frames to `sink`; nil sends them nowhere.
    func deliver(to sink: Sink?)
    func startRunning()
    func stopRunning()
    func setZoom(_ factor: Double) throws
    func setTorch(_ isOn: Bool) throws
}

/// What the system tells of a session without being asked.
public enum CameraEvent: Hashable, Sendable {
    /// A call, another app or a split screen took the camera away.
    case interrupted
    case interruptionEnded
    /// The session stopped by itself. It may be started again where the media services were only reset.
    case runtimeError(String, isRecoverable: Bool)
    /// A camera was plugged in, or another one is preferred now.
    case camerasChanged
    case disconnected(CameraInfo.ID)
}

/// Where the camera stands.
public enum CameraPhase: Hashable, Sendable {
    case idle
    case starting
    case running
    /// Stopped by the user for a while: the last answer stays on the screen.
    case paused
    /// The system has the camera; it comes back by itself.
    case interrupted
    case failed(CameraProblem)
}

/// Why there is no picture; `phrase` is one sentence for the user.
public enum CameraProblem: Error, Hashable, Sendable, ExplainedError {
    case denied
    case noCamera
    case session(String)

    public var phrase: Phrase {
        switch self {
        case .denied: "this app may not use the camera: allow it in the system’s privacy settings"
        case .noCamera: "no camera can be opened here"
        case .session(let reason): Phrase("the camera stopped: %@", reason)
        }
    }
}

/// Everything that a screen shows of the camera itself.
public struct CameraStatus: Hashable, Sendable {
    public var phase = CameraPhase.idle
    public var cameras: [CameraInfo] = []
    public var camera: CameraInfo?
    public var zoom = 1.0
    public var isTorchOn = false

    public init() {}
}
