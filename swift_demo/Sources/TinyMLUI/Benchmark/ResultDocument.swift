#if canImport(SwiftUI)
import Foundation
import SwiftUI
import UniformTypeIdentifiers

/// A result file on its way to a place that the user chooses: on a Mac sharing offers no place to save to.
struct ResultDocument: FileDocument {
    static var readableContentTypes: [UTType] { [.json] }
    private let content: Data

    init(_ report: BenchmarkModel.Report) { content = report.json }

    init(configuration: ReadConfiguration) throws {
        content = configuration.file.regularFileContents ?? Data()
    }

    func fileWrapper(configuration: WriteConfiguration) throws -> FileWrapper {
        FileWrapper(regularFileWithContents: content)
    }
}
#endif
