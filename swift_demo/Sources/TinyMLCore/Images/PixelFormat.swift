/// The order of the bytes of one pixel, eight bits a channel.
public enum PixelFormat: Sendable, CaseIterable {
    case rgb, rgba, bgra

    public var bytesPerPixel: Int { self == .rgb ? 3 : 4 }

    /// Where red, green and blue stand in a pixel.
    var channelOffsets: (red: Int, green: Int, blue: Int) { self == .bgra ? (2, 1, 0) : (0, 1, 2) }
}
