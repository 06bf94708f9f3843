#if canImport(CoreML)
@preconcurrency import AVFoundation
import Foundation
import TinyMLCore

/// Hands what the system tells of the camera to its controller, for as long as the surrounding task runs.
public enum CameraEvents {
    public static func watch(_ controller: CameraController<CameraSession>) async {
        // One stream for all, so that an interruption and its end arrive in their order.
        let (events, continuation) = AsyncStream.makeStream(of: CameraEvent.self)
        let center = NotificationCenter.default
        let observers = names.map { name in
            center.addObserver(forName: name, object: nil, queue: nil) { notification in
                if let event = event(of: notification) { continuation.yield(event) }
            }
        }
        defer { observers.forEach { center.removeObserver($0) } }
        for await event in events { await controller.handle(event) }
    }

    private static let names: [Notification.Name] = [
        AVCaptureSession.wasInterruptedNotification, AVCaptureSession.interruptionEndedNotification,
        AVCaptureSession.runtimeErrorNotification, AVCaptureDevice.wasConnectedNotification,
        AVCaptureDevice.wasDisconnectedNotification,
    ]

    private static func event(of notification: Notification) -> CameraEvent? {
        switch notification.name {
        case AVCaptureSession.wasInterruptedNotification: .interrupted
        case AVCaptureSession.interruptionEndedNotification: .interruptionEnded
        case AVCaptureSession.runtimeErrorNotification: runtimeError(notification.userInfo)
        case AVCaptureDevice.wasConnectedNotification: .camerasChanged
        case AVCaptureDevice.wasDisconnectedNotification:
            (notification.object as? AVCaptureDevice).map { .disconnected($0.uniqueID) } ?? .camerasChanged
        default: nil
        }
    }

    private static func runtimeError(_ userInfo: [AnyHashable: Any]?) -> CameraEvent {
        let error = userInfo?[AVCaptureSessionErrorKey] as? any Error
        #if canImport(UIKit)
        let isRecoverable = (error as? AVError)?.code == .mediaServicesWereReset
        #else
        let isRecoverable = false
        #endif
        return .runtimeError(error?.localizedDescription ?? "unknown", isRecoverable: isRecoverable)
    }
}
#endif
