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

/// https://developer.apple.com/documentation/appkit/nspasteboard
public class NSPasteboard: NSObject {
    /// https://developer.apple.com/documentation/appkit/nspasteboard/pasteboardtype
    public struct PasteboardType: Hashable, Sendable {
        /// https://developer.apple.com/documentation/appkit/nspasteboard/pasteboardtype/string
        public static var string: PasteboardType { stub() }
    }
    /// https://developer.apple.com/documentation/appkit/nspasteboard/general
    public class var general: NSPasteboard { stub() }
    /// https://developer.apple.com/documentation/appkit/nspasteboard/clearcontents()
    @discardableResult public func clearContents() -> Int { stub() }
    /// https://developer.apple.com/documentation/appkit/nspasteboard/setstring(_:fortype:)
    @discardableResult public func setString(_ string: String, forType dataType: PasteboardType) -> Bool { stub() }
}
