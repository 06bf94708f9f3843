@_exported import CoreVideo
import Foundation

/// https://developer.apple.com/documentation/coregraphics/cgimage
public class CGImage {
    /// https://developer.apple.com/documentation/coregraphics/cgimage/width
    public var width: Int { stub() }
    /// https://developer.apple.com/documentation/coregraphics/cgimage/height
    public var height: Int { stub() }
    /// https://developer.apple.com/documentation/coregraphics/cgimage/init(width:height:bitspercomponent:bitsperpixel:bytesperrow:space:bitmapinfo:provider:decode:shouldinterpolate:intent:)
    public init?(
        width: Int, height: Int, bitsPerComponent: Int, bitsPerPixel: Int, bytesPerRow: Int, space: CGColorSpace,
        bitmapInfo: CGBitmapInfo, provider: CGDataProvider, decode: UnsafePointer<CGFloat>?, shouldInterpolate: Bool,
        intent: CGColorRenderingIntent
    ) { stub() }
}

/// https://developer.apple.com/documentation/coregraphics/cgdataprovider
public class CGDataProvider {
    /// https://developer.apple.com/documentation/coregraphics/cgdataprovider/init(data:)
    public init?(data: CFData) { stub() }
}

/// https://developer.apple.com/documentation/coregraphics/cgcolorrenderingintent
public enum CGColorRenderingIntent: Int32, Sendable {
    case defaultIntent
}

/// https://developer.apple.com/documentation/coregraphics/cgbitmapinfo
public struct CGBitmapInfo: OptionSet, Sendable {
    /// https://developer.apple.com/documentation/coregraphics/cgbitmapinfo
    public let rawValue: UInt32
    /// https://developer.apple.com/documentation/coregraphics/cgbitmapinfo/init(rawvalue:)
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// https://developer.apple.com/documentation/coregraphics/cgimagealphainfo
public enum CGImageAlphaInfo: UInt32, Sendable {
    case none
    case noneSkipLast
}

/// https://developer.apple.com/documentation/coregraphics/cgcolorspace
public class CGColorSpace {
    /// https://developer.apple.com/documentation/coregraphics/cgcolorspace/init(name:)
    public init?(name: CFString) { stub() }
    /// https://developer.apple.com/documentation/coregraphics/cgcolorspace/srgb
    public class var sRGB: CFString { stub() }
}

/// https://developer.apple.com/documentation/coregraphics/cgcontext
public class CGContext {
    /// https://developer.apple.com/documentation/coregraphics/cgcontext/init(data:width:height:bitspercomponent:bytesperrow:space:bitmapinfo:)
    public init?(
        data: UnsafeMutableRawPointer?, width: Int, height: Int, bitsPerComponent: Int, bytesPerRow: Int,
        space: CGColorSpace, bitmapInfo: UInt32
    ) { stub() }
    /// https://developer.apple.com/documentation/coregraphics/cgcontext/draw(_:in:bytiling:)
    public func draw(_ image: CGImage, in rect: CGRect) { stub() }
}
