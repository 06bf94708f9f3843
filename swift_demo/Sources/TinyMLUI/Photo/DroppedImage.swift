#if canImport(SwiftUI)
import CoreTransferable
import Foundation
import TinyMLApple
import UniformTypeIdentifiers

/// An image dropped on a window: the picture itself, as iPads hand it over, or a file with one.
///
/// No addresses: a link dragged from a browser would be fetched from the web, and nothing here is.
struct DroppedImage: Transferable, Sendable {
    let data: Data

    static var transferRepresentation: some TransferRepresentation {
        FileRepresentation(importedContentType: .image) { file in
            DroppedImage(data: try CoordinatedFile.data(at: file.file))
        }
        DataRepresentation(importedContentType: .image) { DroppedImage(data: $0) }
    }
}
#endif
