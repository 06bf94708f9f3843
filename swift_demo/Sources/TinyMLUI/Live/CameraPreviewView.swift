#if canImport(SwiftUI)
@preconcurrency import AVFoundation
import QuartzCore
import SwiftUI
import TinyMLApple

/// Watches how the device is held and turns the preview; tells the capture's angle.
@MainActor
final class RotationWatch {
    private var coordinator: AVCaptureDevice.RotationCoordinator?
    private var observations: [NSKeyValueObservation] = []
    private var device: AVCaptureDevice?
    private weak var layer: AVCaptureVideoPreviewLayer?
    private weak var connection: AVCaptureConnection?

    /// Watches `camera` for `layer`; does nothing where it is watched already.
    ///
    /// A camera that is opened again has new connections, which know no angle: it is watched anew.
    func watch(
        _ camera: CameraHandle?, layer: AVCaptureVideoPreviewLayer,
        onCaptureAngle: @escaping @MainActor (Double) -> Void
    ) {
        guard let device = camera?.device, device !== self.device || layer.connection !== connection else { return }
        self.device = device
        connection = layer.connection
        let coordinator = AVCaptureDevice.RotationCoordinator(device: device, previewLayer: layer)
        self.coordinator = coordinator
        self.layer = layer
        turn()
        onCaptureAngle(Double(coordinator.videoRotationAngleForHorizonLevelCapture))
        // The coordinator changes its values on the main queue, as its documentation says.
        observations = [
            coordinator.observe(\.videoRotationAngleForHorizonLevelPreview, options: [.new]) { [weak self] _, _ in
                guard let self else { return }
                MainActor.assumeIsolated { self.turn() }
            },
            coordinator.observe(\.videoRotationAngleForHorizonLevelCapture, options: [.new]) { _, change in
                guard let angle = change.newValue else { return }
                MainActor.assumeIsolated { onCaptureAngle(Double(angle)) }
            },
        ]
    }

    private func turn() {
        guard let angle = coordinator?.videoRotationAngleForHorizonLevelPreview, let connection = layer?.connection,
            connection.isVideoRotationAngleSupported(angle)
        else { return }
        connection.videoRotationAngle = angle
    }
}

#if canImport(UIKit)
import UIKit

/// The camera's picture on iOS.
struct CameraPreviewView: UIViewRepresentable {
    let preview: CameraPreview
    let camera: CameraHandle?
    let onCaptureAngle: @MainActor (Double) -> Void

    func makeCoordinator() -> RotationWatch { RotationWatch() }

    func makeUIView(context: Context) -> PreviewUIView { PreviewUIView(session: preview.session) }

    func updateUIView(_ view: PreviewUIView, context: Context) {
        context.coordinator.watch(camera, layer: view.preview, onCaptureAngle: onCaptureAngle)
    }
}

/// A view that keeps a preview layer at its own size.
final class PreviewUIView: UIView {
    let preview = AVCaptureVideoPreviewLayer()

    init(session: AVCaptureSession) {
        super.init(frame: .zero)
        preview.session = session
        preview.videoGravity = .resizeAspectFill
        layer.addSublayer(preview)
        clipsToBounds = true
    }

    @available(*, unavailable, message: "made in code only")
    required init?(coder: NSCoder) { nil }

    override func layoutSubviews() {
        super.layoutSubviews()
        preview.frame = bounds
    }
}
#elseif canImport(AppKit)
import AppKit

/// The camera's picture on macOS.
struct CameraPreviewView: NSViewRepresentable {
    let preview: CameraPreview
    let camera: CameraHandle?
    let onCaptureAngle: @MainActor (Double) -> Void

    func makeCoordinator() -> RotationWatch { RotationWatch() }

    func makeNSView(context: Context) -> PreviewNSView { PreviewNSView(session: preview.session) }

    func updateNSView(_ view: PreviewNSView, context: Context) {
        context.coordinator.watch(camera, layer: view.preview, onCaptureAngle: onCaptureAngle)
    }
}

/// A view that keeps a preview layer at its own size.
final class PreviewNSView: NSView {
    let preview = AVCaptureVideoPreviewLayer()

    init(session: AVCaptureSession) {
        super.init(frame: .zero)
        preview.session = session
        preview.videoGravity = .resizeAspectFill
        wantsLayer = true
        layer?.addSublayer(preview)
    }

    @available(*, unavailable, message: "made in code only")
    required init?(coder: NSCoder) { nil }

    override func layout() {
        super.layout()
        preview.frame = bounds
    }
}
#endif
#endif
