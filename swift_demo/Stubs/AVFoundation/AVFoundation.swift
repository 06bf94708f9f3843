import CoreGraphics
@_exported import CoreMedia
@_exported import Dispatch
@_exported import Foundation
import QuartzCore

/// https://developer.apple.com/documentation/avfoundation/avmediatype
public struct AVMediaType: RawRepresentable, Hashable, Sendable {
    /// https://developer.apple.com/documentation/avfoundation/avmediatype
    public let rawValue: String
    /// https://developer.apple.com/documentation/avfoundation/avmediatype
    public init(rawValue: String) { self.rawValue = rawValue }
    /// https://developer.apple.com/documentation/avfoundation/avmediatype/video
    public static var video: AVMediaType { stub() }
}

/// https://developer.apple.com/documentation/avfoundation/avauthorizationstatus
public enum AVAuthorizationStatus: Int, Sendable {
    case notDetermined
    case restricted
    case denied
    case authorized
}

/// https://developer.apple.com/documentation/avfoundation/avcapturedevice
public class AVCaptureDevice: NSObject {
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/devicetype-swift.struct
    public struct DeviceType: RawRepresentable, Hashable, Sendable {
        /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/devicetype-swift.struct
        public let rawValue: String
        /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/devicetype-swift.struct
        public init(rawValue: String) { self.rawValue = rawValue }
        /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/devicetype-swift.struct/builtinwideanglecamera
        public static var builtInWideAngleCamera: DeviceType { stub() }
        /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/devicetype-swift.struct/external
        public static var external: DeviceType { stub() }
        /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/devicetype-swift.struct/continuitycamera
        public static var continuityCamera: DeviceType { stub() }
    }

    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/position-swift.enum
    public enum Position: Int, Sendable {
        case unspecified
        case back
        case front
    }

    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/discoverysession
    public class DiscoverySession: NSObject {
        /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/discoverysession/init(devicetypes:mediatype:position:)
        public convenience init(deviceTypes: [DeviceType], mediaType: AVMediaType?, position: Position) { stub() }
        /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/discoverysession/devices
        public var devices: [AVCaptureDevice] { stub() }
    }

    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/rotationcoordinator
    public class RotationCoordinator: NSObject {
        /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/rotationcoordinator/init(device:previewlayer:)
        public init(device: AVCaptureDevice, previewLayer: CALayer?) { stub() }
        /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/rotationcoordinator/videorotationangleforhorizonlevelpreview
        public var videoRotationAngleForHorizonLevelPreview: CGFloat { stub() }
        /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/rotationcoordinator/videorotationangleforhorizonlevelcapture
        public var videoRotationAngleForHorizonLevelCapture: CGFloat { stub() }
        /// https://developer.apple.com/documentation/swift/using-key-value-observing-in-swift
        public func observe<Value>(
            _ keyPath: KeyPath<RotationCoordinator, Value>, options: NSKeyValueObservingOptions = [],
            changeHandler: @escaping (RotationCoordinator, NSKeyValueObservedChange<Value>) -> Void
        ) -> NSKeyValueObservation { stub() }
    }

    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/authorizationstatus(for:)
    public class func authorizationStatus(for mediaType: AVMediaType) -> AVAuthorizationStatus { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/requestaccess(for:completionhandler:)
    public class func requestAccess(for mediaType: AVMediaType) async -> Bool { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/torchmode-swift.enum
    public enum TorchMode: Int, Sendable {
        case off
        case on
        case auto
    }

    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/init(uniqueid:)
    public convenience init?(uniqueID deviceUniqueID: String) { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/uniqueid
    public var uniqueID: String { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/localizedname
    public var localizedName: String { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/systempreferredcamera
    public class var systemPreferredCamera: AVCaptureDevice? { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/userpreferredcamera
    public class var userPreferredCamera: AVCaptureDevice? {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/hastorch
    public var hasTorch: Bool { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/istorchmodesupported(_:)
    public func isTorchModeSupported(_ torchMode: TorchMode) -> Bool { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/torchmode-swift.property
    public var torchMode: TorchMode {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/lockforconfiguration()
    public func lockForConfiguration() throws { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/unlockforconfiguration()
    public func unlockForConfiguration() { stub() }
    @available(macOS, unavailable)
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/videozoomfactor
    public var videoZoomFactor: CGFloat {
        get { stub() }
        set { stub() }
    }
    @available(macOS, unavailable)
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/maxavailablevideozoomfactor
    public var maxAvailableVideoZoomFactor: CGFloat { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/wasconnectednotification
    public class var wasConnectedNotification: Notification.Name { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturedevice/wasdisconnectednotification
    public class var wasDisconnectedNotification: Notification.Name { stub() }
}

/// https://developer.apple.com/documentation/foundation/nskeyvalueobservingoptions
public struct NSKeyValueObservingOptions: OptionSet, Sendable {
    /// https://developer.apple.com/documentation/foundation/nskeyvalueobservingoptions
    public let rawValue: UInt
    /// https://developer.apple.com/documentation/foundation/nskeyvalueobservingoptions
    public init(rawValue: UInt) { self.rawValue = rawValue }
    /// https://developer.apple.com/documentation/foundation/nskeyvalueobservingoptions/initial
    public static var initial: NSKeyValueObservingOptions { stub() }
    /// https://developer.apple.com/documentation/foundation/nskeyvalueobservingoptions/new
    public static var new: NSKeyValueObservingOptions { stub() }
}

/// https://developer.apple.com/documentation/foundation/nskeyvalueobservedchange
public struct NSKeyValueObservedChange<Value> {
    /// https://developer.apple.com/documentation/foundation/nskeyvalueobservedchange
    public var newValue: Value? { stub() }
}

/// https://developer.apple.com/documentation/foundation/nskeyvalueobservation
public class NSKeyValueObservation: NSObject {}

/// https://developer.apple.com/documentation/avfoundation/avcaptureinput
public class AVCaptureInput: NSObject {}

/// https://developer.apple.com/documentation/avfoundation/avcapturedeviceinput
public class AVCaptureDeviceInput: AVCaptureInput {
    /// https://developer.apple.com/documentation/avfoundation/avcapturedeviceinput/init(device:)
    public init(device: AVCaptureDevice) throws { stub() }
}

/// https://developer.apple.com/documentation/avfoundation/avcaptureoutput
public class AVCaptureOutput: NSObject {
    /// https://developer.apple.com/documentation/avfoundation/avcaptureoutput/connection(with:)
    public func connection(with mediaType: AVMediaType) -> AVCaptureConnection? { stub() }
}

/// https://developer.apple.com/documentation/avfoundation/avcaptureconnection
public class AVCaptureConnection: NSObject {
    /// https://developer.apple.com/documentation/avfoundation/avcaptureconnection/isvideorotationanglesupported(_:)
    public func isVideoRotationAngleSupported(_ videoRotationAngle: CGFloat) -> Bool { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcaptureconnection/videorotationangle
    public var videoRotationAngle: CGFloat {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avcaptureconnection/isvideomirroringsupported
    public var isVideoMirroringSupported: Bool { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcaptureconnection/isvideomirrored
    public var isVideoMirrored: Bool {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avcaptureconnection/automaticallyadjustsvideomirroring
    public var automaticallyAdjustsVideoMirroring: Bool {
        get { stub() }
        set { stub() }
    }
}

/// https://developer.apple.com/documentation/avfoundation/avcapturevideodataoutputsamplebufferdelegate
public protocol AVCaptureVideoDataOutputSampleBufferDelegate: NSObjectProtocol {
    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection)
    func captureOutput(
        _ output: AVCaptureOutput, didDrop sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection)
}

/// https://developer.apple.com/documentation/avfoundation/avcapturevideodataoutput
public class AVCaptureVideoDataOutput: AVCaptureOutput {
    // swift-format-ignore
    /// https://developer.apple.com/documentation/avfoundation/avcapturevideodataoutput/videosettings
    public var videoSettings: [String: Any]! {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avcapturevideodataoutput/alwaysdiscardslatevideoframes
    public var alwaysDiscardsLateVideoFrames: Bool {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avcapturevideodataoutput/setsamplebufferdelegate(_:queue:)
    public func setSampleBufferDelegate(
        _ sampleBufferDelegate: (any AVCaptureVideoDataOutputSampleBufferDelegate)?,
        queue sampleBufferCallbackQueue: DispatchQueue?
    ) { stub() }
}

/// https://developer.apple.com/documentation/avfoundation/avcapturesession
public class AVCaptureSession: NSObject {
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/preset
    public struct Preset: RawRepresentable, Hashable, Sendable {
        /// https://developer.apple.com/documentation/avfoundation/avcapturesession/preset
        public let rawValue: String
        /// https://developer.apple.com/documentation/avfoundation/avcapturesession/preset
        public init(rawValue: String) { self.rawValue = rawValue }
        /// https://developer.apple.com/documentation/avfoundation/avcapturesession/preset/hd1280x720
        public static var hd1280x720: Preset { stub() }
    }

    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/sessionpreset
    public var sessionPreset: Preset {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/inputs
    public var inputs: [AVCaptureInput] { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/outputs
    public var outputs: [AVCaptureOutput] { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/removeinput(_:)
    public func removeInput(_ input: AVCaptureInput) { stub() }
    @available(macOS, unavailable)
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/ismultitaskingcameraaccesssupported
    public var isMultitaskingCameraAccessSupported: Bool { stub() }
    @available(macOS, unavailable)
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/ismultitaskingcameraaccessenabled
    public var isMultitaskingCameraAccessEnabled: Bool {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/wasinterruptednotification
    public class var wasInterruptedNotification: Notification.Name { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/interruptionendednotification
    public class var interruptionEndedNotification: Notification.Name { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/runtimeerrornotification
    public class var runtimeErrorNotification: Notification.Name { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/cansetsessionpreset(_:)
    public func canSetSessionPreset(_ preset: Preset) -> Bool { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/startrunning()
    public func startRunning() { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/stoprunning()
    public func stopRunning() { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/beginconfiguration()
    public func beginConfiguration() { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/commitconfiguration()
    public func commitConfiguration() { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/canaddinput(_:)
    public func canAddInput(_ input: AVCaptureInput) -> Bool { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/addinput(_:)
    public func addInput(_ input: AVCaptureInput) { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/canaddoutput(_:)
    public func canAddOutput(_ output: AVCaptureOutput) -> Bool { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avcapturesession/addoutput(_:)
    public func addOutput(_ output: AVCaptureOutput) { stub() }
}

/// https://developer.apple.com/documentation/avfoundation/avcapturesessionerrorkey
public let AVCaptureSessionErrorKey = ""

/// https://developer.apple.com/documentation/avfoundation/averror-swift.struct
public struct AVError: Error {
    /// https://developer.apple.com/documentation/avfoundation/averror-swift.struct/code
    public enum Code: Int, Sendable {
        case mediaServicesWereReset = -11819
    }

    /// https://developer.apple.com/documentation/foundation/cocoaerror/code
    public var code: Code { stub() }
}

/// https://developer.apple.com/documentation/avfoundation/avlayervideogravity
public struct AVLayerVideoGravity: RawRepresentable, Hashable, Sendable {
    /// https://developer.apple.com/documentation/avfoundation/avlayervideogravity
    public let rawValue: String
    /// https://developer.apple.com/documentation/avfoundation/avlayervideogravity/init(rawvalue:)
    public init(rawValue: String) { self.rawValue = rawValue }
    /// https://developer.apple.com/documentation/avfoundation/avlayervideogravity/resizeaspectfill
    public static var resizeAspectFill: AVLayerVideoGravity { stub() }
}

/// https://developer.apple.com/documentation/avfoundation/avcapturevideopreviewlayer
public class AVCaptureVideoPreviewLayer: CALayer {
    /// https://developer.apple.com/documentation/avfoundation/avcapturevideopreviewlayer/session
    public var session: AVCaptureSession? {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avcapturevideopreviewlayer/videogravity
    public var videoGravity: AVLayerVideoGravity {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avcapturevideopreviewlayer/connection
    public var connection: AVCaptureConnection? { stub() }
}

// MARK: Video files

/// https://developer.apple.com/documentation/avfoundation/avasynchronouskeyvalueloading
public protocol AVAsynchronousKeyValueLoading {}

/// https://developer.apple.com/documentation/avfoundation/avasset
public class AVAsset: NSObject, AVAsynchronousKeyValueLoading {}

/// https://developer.apple.com/documentation/avfoundation/avurlasset
public class AVURLAsset: AVAsset {
    /// https://developer.apple.com/documentation/avfoundation/avurlasset/init(url:options:)
    public init(url: URL, options: [String: Any]? = nil) { stub() }
}

/// https://developer.apple.com/documentation/avfoundation/avpartialasyncproperty
public class AVPartialAsyncProperty<Root> {}

/// https://developer.apple.com/documentation/avfoundation/avasyncproperty
public class AVAsyncProperty<Root, Value>: AVPartialAsyncProperty<Root> {}

extension AVPartialAsyncProperty where Root: AVAsset {
    /// https://developer.apple.com/documentation/avfoundation/avpartialasyncproperty/duration
    public static var duration: AVAsyncProperty<Root, CMTime> { stub() }
}

extension AVAsynchronousKeyValueLoading {
    /// https://developer.apple.com/documentation/avfoundation/avasynchronouskeyvalueloading/load(_:isolation:)
    public func load<Value>(
        _ property: AVAsyncProperty<Self, Value>, isolation: isolated (any Actor)? = #isolation
    ) async throws -> Value { stub() }
}

/// https://developer.apple.com/documentation/avfoundation/avassetimagegenerator
public class AVAssetImageGenerator: NSObject {
    /// https://developer.apple.com/documentation/avfoundation/avassetimagegenerator/init(asset:)
    public init(asset: AVAsset) { stub() }
    /// https://developer.apple.com/documentation/avfoundation/avassetimagegenerator/appliespreferredtracktransform
    public var appliesPreferredTrackTransform: Bool {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avassetimagegenerator/maximumsize
    public var maximumSize: CGSize {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avassetimagegenerator/requestedtimetolerancebefore
    public var requestedTimeToleranceBefore: CMTime {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avassetimagegenerator/requestedtimetoleranceafter
    public var requestedTimeToleranceAfter: CMTime {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/avfoundation/avassetimagegenerator/image(at:)
    public func image(at time: CMTime) async throws -> (image: CGImage, actualTime: CMTime) { stub() }
}

// Dispatch as it is on Apple's systems, where its queues are executors.

/// https://developer.apple.com/documentation/dispatch/dispatchserialqueue
public final class DispatchSerialQueue: SerialExecutor, @unchecked Sendable {
    /// https://developer.apple.com/documentation/dispatch/dispatchserialqueue/init(label:qos:attributes:autoreleasefrequency:target:)
    public init(label: String) { stub() }
    /// https://developer.apple.com/documentation/swift/serialexecutor/enqueue(_:)
    public func enqueue(_ job: consuming ExecutorJob) { stub() }
    /// https://developer.apple.com/documentation/swift/serialexecutor/asunownedserialexecutor()
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { stub() }
}
