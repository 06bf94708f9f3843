import Foundation

/// Names of new files that are no file's yet.
enum FreeName {
    /// The file `stem.pathExtension` in a folder, or, where that is taken, the first of `stem-2`, `stem-3` and so on.
    static func file(in folder: URL, stem: String, pathExtension: String) -> URL {
        var file = folder.appendingPathComponent("\(stem).\(pathExtension)")
        var number = 2
        while FileManager.default.fileExists(atPath: file.path) {
            file = folder.appendingPathComponent("\(stem)-\(number).\(pathExtension)")
            number += 1
        }
        return file
    }
}
