#if canImport(CoreML)
import Foundation
import TinyMLCore

/// Where the app keeps what it makes.
public enum AppFolders {
    /// The app's own folder for support files.
    public static var support: URL {
        URL.applicationSupportDirectory.appendingPathComponent("TinyMLDemo", isDirectory: true)
    }

    /// What can be made again at any time; the system may empty it.
    public static var caches: URL {
        let found = FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).first
        return (found ?? URL.temporaryDirectory).appendingPathComponent("TinyMLDemo", isDirectory: true)
    }

    /// Models that the user brought in.
    public static var imported: URL {
        support.appendingPathComponent("Models", isDirectory: true)
    }

    /// Results of measuring on this device.
    public static var benchmarks: URL {
        support.appendingPathComponent("Benchmarks", isDirectory: true)
    }

    /// Recorded answers of the camera.
    public static var answers: URL {
        support.appendingPathComponent("Answers", isDirectory: true)
    }

    /// The runs and recordings that are kept.
    public static var kept: KeptFiles {
        KeptFiles(history: BenchmarkHistory(folder: benchmarks), recordings: AnswerRecordings(folder: answers))
    }

    /// What the app's files take up.
    public static func storage() throws -> StorageUse {
        try StorageUse(
            imported: imported, compiled: CompiledModelCache.standard.bytes(), records: [benchmarks, answers])
    }

    /// The models in the app itself; nil where a program has none.
    public static var bundled: URL? {
        Bundle.main.url(forResource: "Models", withExtension: nil)
    }
}
#endif
