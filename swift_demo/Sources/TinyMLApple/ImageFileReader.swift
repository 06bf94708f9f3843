#if canImport(CoreML)
import CoreGraphics
import Foundation
import ImageIO
import TinyMLCore

/// Reads image files into plain pixels, their colors converted to sRGB.
public enum ImageFileReader {
    /// - Throws: `ImageError.unreadable`, or `FileAccessError` or Foundation's error where the file cannot be read.
    public static func read(_ url: URL) throws -> StoredImage {
        try read(CoordinatedFile.data(at: url), name: url.lastPathComponent)
    }

    /// - Throws: `ImageError.unreadable`.
    public static func read(_ data: Data, name: String) throws -> StoredImage {
        guard let source = CGImageSourceCreateWithData(data as CFData, nil) else {
            throw ImageError.unreadable(name: name)
        }
        let properties = CGImageSourceCopyPropertiesAtIndex(source, 0, nil) as? [String: Any]
        guard let image = decoded(source, size: size(properties)) else { throw ImageError.unreadable(name: name) }
        let stored = properties?[kCGImagePropertyOrientation as String] as? Int
        return StoredImage(
            image: try pixels(of: image, name: name), orientation: stored.flatMap(ImageOrientation.init) ?? .up)
    }

    private static func size(_ properties: [String: Any]?) -> PixelSize? {
        guard let width = properties?[kCGImagePropertyPixelWidth as String] as? Int,
            let height = properties?[kCGImagePropertyPixelHeight as String] as? Int
        else { return nil }
        return PixelSize(width: width, height: height)
    }

    /// The image, or a reduced one that stands for a very large one, neither turned.
    private static func decoded(_ source: CGImageSource, size: PixelSize?) -> CGImage? {
        guard let side = size.flatMap(PhotoSize.thumbnail) else {
            return CGImageSourceCreateImageAtIndex(source, 0, nil)
        }
        let options: [String: Any] = [
            kCGImageSourceCreateThumbnailFromImageAlways as String: true,
            kCGImageSourceCreateThumbnailWithTransform as String: false,
            kCGImageSourceThumbnailMaxPixelSize as String: side,
        ]
        return CGImageSourceCreateThumbnailAtIndex(source, 0, options as CFDictionary)
    }

    /// The pixels of an image that the system holds, its colors converted to sRGB.
    static func pixels(of image: CGImage, name: String) throws -> RGBImage {
        let (width, height) = (image.width, image.height)
        var bytes = [UInt8](repeating: 255, count: width * height * 4)
        let isDrawn = bytes.withUnsafeMutableBytes { buffer in
            guard let space = CGColorSpace(name: CGColorSpace.sRGB),
                let context = CGContext(
                    data: buffer.baseAddress, width: width, height: height, bitsPerComponent: 8,
                    bytesPerRow: width * 4, space: space, bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue)
            else { return false }
            context.draw(image, in: CGRect(x: 0, y: 0, width: width, height: height))
            return true
        }
        guard isDrawn else { throw ImageError.unreadable(name: name) }
        return try bytes.withUnsafeBytes {
            try PixelSource(bytes: $0, width: width, height: height, bytesPerRow: width * 4, format: .rgba).image()
        }
    }
}
#endif
