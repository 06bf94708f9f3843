#if canImport(CoreML)
import AVFoundation

/// The user's leave to use the camera.
enum CameraPermission {
    /// Asks where nobody was asked yet.
    static func isGranted() async -> Bool {
        switch AVCaptureDevice.authorizationStatus(for: .video) {
        case .authorized: true
        case .notDetermined: await AVCaptureDevice.requestAccess(for: .video)
        case .denied, .restricted: false
        @unknown default: false
        }
    }
}
#endif
