/// Starts, stops and steers a camera, and follows what the system does to it.
///
/// Starts and stops reach an actor in any order: a canceled screen's stop may arrive after the next screen's start.
/// So each start carries a token that was taken when it was asked for. A stop ends its own start and earlier ones only,
/// and a start that was overtaken by a later start, or by its own stop, does nothing.
public actor CameraController<Hardware: CameraHardware> {
    public nonisolated let hardware: Hardware
    private let tokens = CameraTokens()
    private var newest: CameraToken?
    private var stopped: CameraToken?
    private var report: (@Sendable (CameraStatus) -> Void)?
    /// The camera that is the session's input; a camera that was unplugged is none.
    private var opened: CameraInfo.ID?
    private var isSessionRunning = false

    /// What the camera does now.
    public private(set) var status = CameraStatus() {
        didSet { if status != oldValue { report?(status) } }
    }

    public nonisolated var unownedExecutor: UnownedSerialExecutor { hardware.executor }

    public init(hardware: Hardware) {
        self.hardware = hardware
    }

    /// The token of a start that is asked for now.
    public nonisolated func token() -> CameraToken { tokens.next() }

    /// Sends frames to `sink` and every change of the status to `report`, which is called on the camera's queue.
    ///
    /// - Throws: `CancellationError` where the start was overtaken, otherwise `CameraProblem`.
    public func start(
        _ token: CameraToken, sink: Hardware.Sink, report: @escaping @Sendable (CameraStatus) -> Void
    ) async throws {
        try claim(token)
        self.report = report
        // A start that waits for the user's answer must not look like the picture of the start before it.
        if status.phase == .starting { report(status) } else { status.phase = .starting }
        let isPermitted = await hardware.isPermitted()
        // While the user was asked, another start or a stop may have come.
        guard isCurrent(token) else { throw CancellationError() }
        guard isPermitted else { throw fail(.denied) }
        hardware.deliver(to: sink)
        try run()
    }

    /// Ends a start; does nothing where a later one has come.
    public func stop(_ token: CameraToken) {
        stopped = max(stopped ?? token, token)
        guard newest == token else { return }
        hardware.deliver(to: nil)
        endSession()
        report = nil
        status.phase = .idle
        status.isTorchOn = false
    }

    /// Takes in what the system tells.
    public func handle(_ event: CameraEvent) {
        switch event {
        case .interrupted:
            guard status.phase == .running else { return }
            status.phase = .interrupted
            status.isTorchOn = false
        case .interruptionEnded:
            // The session resumes by itself; one that was stopped meanwhile stays so.
            guard status.phase == .interrupted else { return }
            _ = try? run()
        case .runtimeError(let reason, let isRecoverable):
            isSessionRunning = false
            guard isActive else { return }
            if isRecoverable, status.phase != .paused { _ = try? run() } else { _ = fail(.session(reason)) }
        case .camerasChanged:
            status.cameras = hardware.cameras()
            if status.phase == .failed(.noCamera), !status.cameras.isEmpty, isActive { _ = try? run() }
        case .disconnected(let camera):
            status.cameras = hardware.cameras()
            guard opened == camera else { return }
            opened = nil
            status.camera = nil
            endSession()
            if status.phase == .running || status.phase == .interrupted { _ = try? run() }
        }
    }

    /// Stops the camera for a while and keeps what was seen.
    public func pause() {
        guard status.phase == .running || status.phase == .interrupted else { return }
        endSession()
        status.isTorchOn = false
        status.phase = .paused
    }

    /// Goes on after a pause.
    public func resume() throws {
        guard status.phase == .paused else { return }
        try run()
    }

    /// Changes to another camera, and keeps that choice.
    ///
    /// - Throws: `CameraProblem.noCamera`; the picture of the camera before goes on where it can.
    public func use(_ camera: CameraInfo.ID) throws {
        guard isActive, camera != opened else { return }
        let before = opened
        do {
            try open(camera)
            hardware.remember(camera)
        } catch {
            do {
                guard let before else { throw error }
                try open(before)
            } catch {
                throw fail(.noCamera)
            }
            throw error
        }
    }

    /// Changes to the next camera of the list; does nothing where there is but one.
    public func useNext() throws {
        status.cameras = hardware.cameras()
        let cameras = status.cameras
        guard cameras.count > 1, let place = cameras.firstIndex(where: { $0.id == opened }) else { return }
        try use(cameras[(place + 1) % cameras.count].id)
    }

    /// Zooms; a factor outside what the camera can do becomes the nearest that it can.
    public func zoom(_ factor: Double) throws {
        guard let camera = status.camera, factor.isFinite else { return }
        let allowed = min(max(factor, 1), max(1, camera.maximumZoom))
        try hardware.setZoom(allowed)
        status.zoom = allowed
    }

    /// Switches the light; does nothing where there is none or no picture.
    public func torch(_ isOn: Bool) throws {
        guard status.phase == .running, status.camera?.hasTorch == true else { return }
        try hardware.setTorch(isOn)
        status.isTorchOn = isOn
    }

    private var isActive: Bool { newest.map(isCurrent) ?? false }

    private func isCurrent(_ token: CameraToken) -> Bool { newest == token && (stopped.map { $0 < token } ?? true) }

    private func claim(_ token: CameraToken) throws {
        guard newest.map({ $0 < token }) ?? true, stopped.map({ $0 < token }) ?? true else {
            throw CancellationError()
        }
        newest = token
    }

    private func run() throws {
        status.cameras = hardware.cameras()
        if let opened, !status.cameras.contains(where: { $0.id == opened }) { self.opened = nil }
        if opened == nil {
            guard let camera = hardware.preferredCamera() ?? status.cameras.first?.id else { throw fail(.noCamera) }
            do { try open(camera) } catch { throw fail(.noCamera) }
        }
        if !isSessionRunning {
            hardware.startRunning()
            isSessionRunning = true
        }
        status.phase = .running
    }

    private func open(_ camera: CameraInfo.ID) throws {
        do {
            try hardware.open(camera)
        } catch {
            opened = nil
            throw CameraProblem.noCamera
        }
        opened = camera
        status.camera = status.cameras.first { $0.id == camera }
        status.zoom = 1
        status.isTorchOn = false
    }

    private func endSession() {
        if isSessionRunning { hardware.stopRunning() }
        isSessionRunning = false
    }

    private func fail(_ problem: CameraProblem) -> CameraProblem {
        endSession()
        status.phase = .failed(problem)
        return problem
    }
}
