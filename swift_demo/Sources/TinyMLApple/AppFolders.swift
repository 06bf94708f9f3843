#if canImport(CoreML)
import Foundation

/// Where the app keeps what it makes.
public enum AppFolders {
    /// The app's own folder for support files.
    public static var support: URL {
        URL.applicationSupportDirectory.appendingPathComponent("TinyMLDemo", isDirectory: true)
    }

    /// Models that the user brought in.
    public static var imported: URL {
        support.appendingPathComponent("Models", isDirectory: true)
    }

    /// The models in the app itself; nil where a program has none.
    public static var bundled: URL? {
        Bundle.main.url(forResource: "Models", withExtension: nil)
    }
}
#endif
