import Foundation
import QuartzCore

/// https://developer.apple.com/documentation/uikit/uiview
@MainActor open class UIView: NSObject {
    /// https://developer.apple.com/documentation/uikit/uiview/init(frame:)
    public init(frame: CGRect) { stub() }
    /// https://developer.apple.com/documentation/uikit/uiview/init(coder:)
    public required init?(coder: NSCoder) { stub() }
    /// https://developer.apple.com/documentation/uikit/uiview/layer
    public var layer: CALayer { stub() }
    /// https://developer.apple.com/documentation/uikit/uiview/bounds
    public var bounds: CGRect {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/uikit/uiview/clipstobounds
    public var clipsToBounds: Bool {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/uikit/uiview/layoutsubviews()
    open func layoutSubviews() { stub() }
}

/// https://developer.apple.com/documentation/uikit/uiapplication
@MainActor public class UIApplication: NSObject {
    /// https://developer.apple.com/documentation/uikit/uiapplication/opensettingsurlstring
    public class var openSettingsURLString: String { stub() }
    /// https://developer.apple.com/documentation/uikit/uiapplication/shared
    public class var shared: UIApplication { stub() }
    /// https://developer.apple.com/documentation/uikit/uiapplication/isidletimerdisabled
    public var isIdleTimerDisabled: Bool {
        get { stub() }
        set { stub() }
    }
}

/// https://developer.apple.com/documentation/uikit/uikeyboardtype
public enum UIKeyboardType: Int, Sendable {
    case `default`
    case URL
}

/// https://developer.apple.com/documentation/uikit/uipasteboard
public class UIPasteboard: NSObject {
    /// https://developer.apple.com/documentation/uikit/uipasteboard/general
    public class var general: UIPasteboard { stub() }
    /// https://developer.apple.com/documentation/uikit/uipasteboard/string
    public var string: String? {
        get { stub() }
        set { stub() }
    }
}
