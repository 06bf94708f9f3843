@_exported import CoreVideo

/// https://developer.apple.com/documentation/coremedia/cmsamplebuffer
public class CMSampleBuffer {}
/// https://developer.apple.com/documentation/coremedia/cmsamplebuffergetimagebuffer(_:)
public func CMSampleBufferGetImageBuffer(_ sbuf: CMSampleBuffer) -> CVImageBuffer? { stub() }
/// https://developer.apple.com/documentation/coremedia/cmtime
public struct CMTime: Hashable, Sendable {
    /// https://developer.apple.com/documentation/coremedia/cmtime/init(seconds:preferredtimescale:)
    public init(seconds: Double, preferredTimescale: Int32) { stub() }
    /// https://developer.apple.com/documentation/coremedia/cmtime/seconds
    public var seconds: Double { stub() }
}
