#if canImport(CoreML)
import AVFoundation
import TinyMLCore

/// The cameras that are there.
enum CameraDevices {
    static var all: [AVCaptureDevice] {
        #if canImport(AppKit)
        let kinds: [AVCaptureDevice.DeviceType] = [.builtInWideAngleCamera, .continuityCamera, .external]
        #else
        let kinds: [AVCaptureDevice.DeviceType] = [.builtInWideAngleCamera, .external]
        #endif
        return AVCaptureDevice.DiscoverySession(deviceTypes: kinds, mediaType: .video, position: .unspecified).devices
    }

    static func info(_ device: AVCaptureDevice) -> CameraInfo {
        #if canImport(UIKit)
        // Digital zoom beyond a few times shows the model nothing new.
        let zoom = min(Double(device.maxAvailableVideoZoomFactor), 8)
        #else
        let zoom = 1.0
        #endif
        return CameraInfo(
            id: device.uniqueID, name: device.localizedName, maximumZoom: zoom, hasTorch: device.hasTorch)
    }
}
#endif
