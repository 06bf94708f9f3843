#if canImport(CoreML)
import AVFoundation

/// The choice of a camera.
enum CameraDevice {
    /// The camera to use; nil where there is none. On a phone the one on its back, on a Mac whichever there is.
    static var preferred: AVCaptureDevice? {
        #if canImport(AppKit)
        let kinds: [AVCaptureDevice.DeviceType] = [.external, .continuityCamera, .builtInWideAngleCamera]
        let position = AVCaptureDevice.Position.unspecified
        #else
        let kinds: [AVCaptureDevice.DeviceType] = [.builtInWideAngleCamera]
        let position = AVCaptureDevice.Position.back
        #endif
        let found = AVCaptureDevice.DiscoverySession(deviceTypes: kinds, mediaType: .video, position: position)
        return found.devices.first ?? AVCaptureDevice.default(for: .video)
    }
}
#endif
