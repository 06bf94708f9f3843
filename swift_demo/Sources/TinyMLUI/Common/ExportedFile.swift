#if canImport(SwiftUI)
import Foundation
import SwiftUI
import TinyMLApple
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

/// A file of the app's own that is to be saved elsewhere too.
@MainActor
struct SavedCopy {
    let document: ExportedFile
    let type: UTType
    let name: String

    /// - Throws: Foundation's error where the file cannot be read.
    init(of file: URL) async throws {
        document = ExportedFile(try await Task.detached { try CoordinatedFile.data(at: file) }.value)
        type = UTType(filenameExtension: file.pathExtension) ?? .json
        name = file.lastPathComponent
    }
}
#endif
