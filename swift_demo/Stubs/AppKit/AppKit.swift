import Foundation
import QuartzCore

/// https://developer.apple.com/documentation/appkit/nsview
@MainActor open class NSView: NSObject {
    /// https://developer.apple.com/documentation/appkit/nsview/init(frame:)
    public init(frame frameRect: CGRect) { stub() }
    /// https://developer.apple.com/documentation/appkit/nsview/init(coder:)
    public required init?(coder: NSCoder) { stub() }
    /// https://developer.apple.com/documentation/appkit/nsview/wantslayer
    public var wantsLayer: Bool {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/appkit/nsview/layer
    public var layer: CALayer? {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/appkit/nsview/bounds
    public var bounds: CGRect {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/appkit/nsview/layout()
    open func layout() { stub() }
}
