import Foundation

// What Foundation lacks outside Apple's systems; there it comes with the framework of that name.

/// https://developer.apple.com/documentation/foundation/nsfilecoordinator
public class NSFileCoordinator: NSObject {
    /// https://developer.apple.com/documentation/foundation/nsfilecoordinator/readingoptions
    public struct ReadingOptions: OptionSet, Sendable {
        /// https://developer.apple.com/documentation/foundation/nsfilecoordinator/readingoptions
        public let rawValue: UInt
        /// https://developer.apple.com/documentation/foundation/nsfilecoordinator/readingoptions/init(rawvalue:)
        public init(rawValue: UInt) { self.rawValue = rawValue }
    }

    /// https://developer.apple.com/documentation/foundation/nsfilecoordinator/init(filepresenter:)
    public init(filePresenter filePresenterOrNil: (any NSFilePresenter)?) { stub() }
    /// https://developer.apple.com/documentation/foundation/nsfilecoordinator/coordinate(readingitemat:options:error:byaccessor:)
    public func coordinate(
        readingItemAt url: URL, options: ReadingOptions = [], error outError: inout NSError?,
        byAccessor reader: (URL) -> Void
    ) { stub() }
}

/// https://developer.apple.com/documentation/foundation/nsfilepresenter
public protocol NSFilePresenter: NSObjectProtocol {}

extension ProcessInfo {
    /// https://developer.apple.com/documentation/foundation/processinfo/activityoptions
    public struct ActivityOptions: OptionSet, Sendable {
        /// https://developer.apple.com/documentation/foundation/processinfo/activityoptions
        public let rawValue: UInt64
        /// https://developer.apple.com/documentation/foundation/processinfo/activityoptions/init(rawvalue:)
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        /// https://developer.apple.com/documentation/foundation/processinfo/activityoptions/userinitiated
        public static var userInitiated: ActivityOptions { stub() }
        /// https://developer.apple.com/documentation/foundation/processinfo/activityoptions/idlesystemsleepdisabled
        public static var idleSystemSleepDisabled: ActivityOptions { stub() }
        /// https://developer.apple.com/documentation/foundation/processinfo/activityoptions/idledisplaysleepdisabled
        public static var idleDisplaySleepDisabled: ActivityOptions { stub() }
    }

    /// https://developer.apple.com/documentation/foundation/processinfo/beginactivity(options:reason:)
    public func beginActivity(options: ActivityOptions = [], reason: String) -> any NSObjectProtocol { stub() }
    /// https://developer.apple.com/documentation/foundation/processinfo/endactivity(_:)
    public func endActivity(_ activity: any NSObjectProtocol) { stub() }
}
