#if canImport(CoreML)
@preconcurrency import AVFoundation
import Foundation
import TinyMLCore

/// The frameworks' capture session. Everything but asking for permission happens on its queue, which is what makes the
/// unchecked conformance right.
public final class CameraSession: CameraHardware, @unchecked Sendable {
    /// What a preview layer shows.
    public let preview: CameraPreview
    private let session: AVCaptureSession
    private let output = AVCaptureVideoDataOutput()
    private let queue = DispatchSerialQueue(label: "TinyMLDemo.camera")
    private let frameQueue = DispatchQueue(label: "TinyMLDemo.frames", qos: .userInitiated)
    private var delegate: FrameDelegate?
    private var device: AVCaptureDevice?

    public var executor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    public init() {
        let session = AVCaptureSession()
        self.session = session
        preview = CameraPreview(session: session)
        output.videoSettings = [kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_32BGRA]
        output.alwaysDiscardsLateVideoFrames = true
    }

    public func isPermitted() async -> Bool {
        switch AVCaptureDevice.authorizationStatus(for: .video) {
        case .authorized: true
        case .notDetermined: await AVCaptureDevice.requestAccess(for: .video)
        case .denied, .restricted: false
        @unknown default: false
        }
    }

    public func cameras() -> [CameraInfo] { CameraDevices.all.map(CameraDevices.info) }

    public func preferredCamera() -> CameraInfo.ID? {
        // What the user chose the last time, or the system's choice; a phone's is the one on its back.
        AVCaptureDevice.systemPreferredCamera?.uniqueID
    }

    public func remember(_ camera: CameraInfo.ID) {
        AVCaptureDevice.userPreferredCamera = AVCaptureDevice(uniqueID: camera)
    }

    public func open(_ camera: CameraInfo.ID) throws {
        guard let device = AVCaptureDevice(uniqueID: camera), let input = try? AVCaptureDeviceInput(device: device)
        else { throw CameraProblem.noCamera }
        session.beginConfiguration()
        defer { session.commitConfiguration() }
        let before = session.inputs
        before.forEach(session.removeInput)
        guard session.canAddInput(input) else {
            before.forEach { if session.canAddInput($0) { session.addInput($0) } }
            throw CameraProblem.noCamera
        }
        session.addInput(input)
        // After the input, since what is possible depends on it. Smaller presets lower the frame rate on phones.
        if session.canSetSessionPreset(.hd1280x720) { session.sessionPreset = .hd1280x720 }
        #if canImport(UIKit)
        // Without it an iPad stops the camera as soon as another app stands beside this one.
        if session.isMultitaskingCameraAccessSupported { session.isMultitaskingCameraAccessEnabled = true }
        #endif
        if !session.outputs.contains(output) {
            guard session.canAddOutput(output) else { throw CameraProblem.noCamera }
            session.addOutput(output)
        }
        // The model has seen no mirrored letters in training: the preview may be mirrored, its input never.
        if let connection = output.connection(with: .video), connection.isVideoMirroringSupported {
            connection.automaticallyAdjustsVideoMirroring = false
            connection.isVideoMirrored = false
        }
        self.device = device
    }

    public func deliver(to sink: LiveSink?) {
        delegate = sink.map(FrameDelegate.init)
        output.setSampleBufferDelegate(delegate, queue: delegate == nil ? nil : frameQueue)
    }

    public func startRunning() { session.startRunning() }

    public func stopRunning() { session.stopRunning() }

    public func setZoom(_ factor: Double) throws {
        #if canImport(UIKit)
        guard let device else { return }
        try device.lockForConfiguration()
        defer { device.unlockForConfiguration() }
        device.videoZoomFactor = CGFloat(factor)
        #endif
    }

    public func setTorch(_ isOn: Bool) throws {
        guard let device, device.hasTorch, device.isTorchModeSupported(isOn ? .on : .off) else { return }
        try device.lockForConfiguration()
        defer { device.unlockForConfiguration() }
        device.torchMode = isOn ? .on : .off
    }

    /// The camera in use, for a rotation coordinator.
    var handle: CameraHandle? { device.map(CameraHandle.init) }

    /// Turns frames so that they are level: `degrees` clockwise, as a rotation coordinator says.
    func setRotation(degrees: Double) {
        guard let connection = output.connection(with: .video),
            connection.isVideoRotationAngleSupported(CGFloat(degrees))
        else { return }
        connection.videoRotationAngle = CGFloat(degrees)
    }
}

/// The capture session on its way from the camera's queue to the layer that shows it.
public struct CameraPreview: @unchecked Sendable {
    /// Only handed to a preview layer, which reads frames from it; it is configured on the camera's queue alone.
    public let session: AVCaptureSession
}

/// A camera on its way from the camera's queue to the view that watches its rotation.
public struct CameraHandle: @unchecked Sendable {
    /// Only asked for its rotation elsewhere, which `AVCaptureDevice.RotationCoordinator` is made for.
    public let device: AVCaptureDevice
}

extension CameraController where Hardware == CameraSession {
    /// The camera in use, for a rotation coordinator.
    public var currentDevice: CameraHandle? { hardware.handle }

    /// Turns frames so that they are level: `degrees` clockwise, as a rotation coordinator says.
    public func setRotation(degrees: Double) { hardware.setRotation(degrees: degrees) }
}
#endif
