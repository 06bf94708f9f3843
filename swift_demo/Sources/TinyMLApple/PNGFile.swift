#if canImport(CoreML)
import CoreGraphics
import Foundation
import ImageIO
import TinyMLCore
import UniformTypeIdentifiers

/// Writes pictures that are to be shared.
public enum PNGFile {
    /// Saves an image as a file of that name in a folder of its own below the temporary one, and returns it.
    ///
    /// - Throws: `ImageError.unwritable`, or Foundation's error where no folder can be made.
    public static func write(_ image: CGImage, name: String) throws -> URL {
        let file = try SharedFile.place(name)
        guard
            let target = CGImageDestinationCreateWithURL(file as CFURL, UTType.png.identifier as CFString, 1, nil)
        else { throw ImageError.unwritable(name: name) }
        CGImageDestinationAddImage(target, image, nil)
        guard CGImageDestinationFinalize(target) else { throw ImageError.unwritable(name: name) }
        return file
    }
}
#endif
