#if canImport(SwiftUI)
import Foundation
import SwiftUI
import UniformTypeIdentifiers

/// A file on its way to a place that the user chooses: on a Mac sharing offers no place to save to.
struct ExportedFile: FileDocument {
    static var readableContentTypes: [UTType] { [.json, .png, .commaSeparatedText] }
    private let content: Data

    init(_ content: Data) { self.content = content }

    init(configuration: ReadConfiguration) throws {
        content = configuration.file.regularFileContents ?? Data()
    }

    func fileWrapper(configuration: WriteConfiguration) throws -> FileWrapper {
        FileWrapper(regularFileWithContents: content)
    }
}
#endif
