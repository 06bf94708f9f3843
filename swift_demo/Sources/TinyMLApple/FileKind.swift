#if canImport(CoreML)
import CoreML
import Foundation
import UniformTypeIdentifiers

/// What a file of the user's holds, as its name says.
public enum FileKind {
    public static func isVideo(_ file: URL) -> Bool {
        UTType(filenameExtension: file.pathExtension)?.conforms(to: .movie) ?? false
    }
}
#endif
