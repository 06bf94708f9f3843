@_exported import CoreVideo

/// https://developer.apple.com/documentation/coremedia/cmsamplebuffer
public class CMSampleBuffer {}
/// https://developer.apple.com/documentation/coremedia/cmsamplebuffergetimagebuffer(_:)
public func CMSampleBufferGetImageBuffer(_ sbuf: CMSampleBuffer) -> CVImageBuffer? { stub() }
