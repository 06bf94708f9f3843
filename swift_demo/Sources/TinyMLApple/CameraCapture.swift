#if canImport(CoreML)
@preconcurrency import AVFoundation
import Foundation
import TinyMLCore

/// The camera: configured and run on a serial queue, which is this actor's executor.
public actor CameraCapture {
    /// What a preview layer shows.
    public nonisolated let preview: CameraPreview
    private let session: AVCaptureSession
    private nonisolated let queue = DispatchSerialQueue(label: "TinyMLDemo.camera")
    private let frameQueue = DispatchQueue(label: "TinyMLDemo.frames", qos: .userInitiated)
    private var output: AVCaptureVideoDataOutput?
    private var delegate: FrameDelegate?
    private var device: AVCaptureDevice?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    public init() {
        let session = AVCaptureSession()
        self.session = session
        preview = CameraPreview(session: session)
    }

    /// Starts the camera and classifies what it sees. The stream ends with an error where a prediction fails, and
    /// keeps only the newest update for a slow reader.
    ///
    /// - Throws: `AppleError.cameraDenied` or `AppleError.noCamera`.
    public func start(_ classifier: CoreMLClassifier) async throws -> AsyncThrowingStream<LiveUpdate, any Error> {
        guard await CameraPermission.isGranted() else { throw AppleError.cameraDenied }
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: LiveUpdate.self, throwing: (any Error).self, bufferingPolicy: .bufferingNewest(1))
        let output = try configuredOutput()
        let delegate = FrameDelegate(classifier: classifier, updates: continuation)
        self.delegate = delegate
        output.setSampleBufferDelegate(delegate, queue: frameQueue)
        if !session.isRunning { session.startRunning() }
        return stream
    }

    /// Stops the camera.
    public func stop() {
        output?.setSampleBufferDelegate(nil, queue: nil)
        delegate = nil
        if session.isRunning { session.stopRunning() }
    }

    /// The camera in use, for a rotation coordinator.
    public var currentDevice: CameraHandle? { device.map(CameraHandle.init) }

    /// Turns frames so that they are level: `degrees` clockwise, as a rotation coordinator says.
    public func setRotation(degrees: Double) {
        guard let connection = output?.connection(with: .video),
            connection.isVideoRotationAngleSupported(CGFloat(degrees))
        else { return }
        connection.videoRotationAngle = CGFloat(degrees)
    }

    private func configuredOutput() throws -> AVCaptureVideoDataOutput {
        if let output { return output }
        guard let device = CameraDevice.preferred, let input = try? AVCaptureDeviceInput(device: device) else {
            throw AppleError.noCamera
        }
        let output = AVCaptureVideoDataOutput()
        output.videoSettings = [kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_32BGRA]
        output.alwaysDiscardsLateVideoFrames = true
        session.beginConfiguration()
        defer { session.commitConfiguration() }
        if session.canSetSessionPreset(.vga640x480) { session.sessionPreset = .vga640x480 }
        guard session.canAddInput(input), session.canAddOutput(output) else { throw AppleError.noCamera }
        session.addInput(input)
        session.addOutput(output)
        // The model has seen no mirrored letters in training: the preview may be mirrored, its input never.
        if let connection = output.connection(with: .video), connection.isVideoMirroringSupported {
            connection.automaticallyAdjustsVideoMirroring = false
            connection.isVideoMirrored = false
        }
        self.device = device
        self.output = output
        return output
    }
}

/// The capture session on its way from the capture actor to the layer that shows it.
public struct CameraPreview: @unchecked Sendable {
    /// Only handed to a preview layer, which reads frames from it; it is configured by the actor alone.
    public let session: AVCaptureSession
}

/// A camera on its way from the capture actor to the view that watches its rotation.
public struct CameraHandle: @unchecked Sendable {
    /// Only asked for its rotation outside the actor, which `AVCaptureDevice.RotationCoordinator` is made for.
    public let device: AVCaptureDevice
}
#endif
