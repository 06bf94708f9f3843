@_exported import Foundation

/// https://developer.apple.com/documentation/foundation/localizedstringresource
public struct LocalizedStringResource: ExpressibleByStringInterpolation, Sendable {
    /// https://developer.apple.com/documentation/foundation/localizedstringresource/init(stringliteral:)
    public init(stringLiteral: String) { stub() }
}

/// https://developer.apple.com/documentation/foundation/customlocalizedstringresourceconvertible
public protocol CustomLocalizedStringResourceConvertible {
    /// https://developer.apple.com/documentation/foundation/customlocalizedstringresourceconvertible/localizedstringresource
    var localizedStringResource: LocalizedStringResource { get }
}

/// https://developer.apple.com/documentation/appintents/intentdescription
public struct IntentDescription: Sendable {
    /// https://developer.apple.com/documentation/appintents/intentdescription/init(_:categoryname:)
    public init(_ descriptionText: LocalizedStringResource) { stub() }
}

/// https://developer.apple.com/documentation/appintents/intentdialog
public struct IntentDialog: ExpressibleByStringInterpolation, Sendable {
    /// https://developer.apple.com/documentation/appintents/intentdialog/init(stringliteral:)
    public init(stringLiteral value: String) { stub() }
}

/// https://developer.apple.com/documentation/appintents/intentresult
public protocol IntentResult: Sendable {}

/// https://developer.apple.com/documentation/appintents/returnsvalue
public protocol ReturnsValue<Value> {
    associatedtype Value
}

/// https://developer.apple.com/documentation/appintents/providesdialog
public protocol ProvidesDialog {}

/// https://developer.apple.com/documentation/appintents/_intentvalue
public protocol _IntentValue {}

extension String: _IntentValue {}

extension IntentFile: _IntentValue {}

/// https://developer.apple.com/documentation/appintents/intentresultcontainer
public struct IntentResultContainer<Value, OpensAppIntent, SnippetView, DialogValue>: IntentResult {}

extension IntentResultContainer: ReturnsValue where Value == String {}

extension IntentResultContainer: ProvidesDialog where DialogValue == IntentDialog {}

extension IntentResult {
    /// https://developer.apple.com/documentation/appintents/intentresult/result()
    public static func result() -> Self where Self == IntentResultContainer<Never, Never, Never, Never> { stub() }
    /// https://developer.apple.com/documentation/appintents/intentresult/result(value:dialog:)
    public static func result<Value>(value: Value, dialog: IntentDialog) -> Self
    where Self == IntentResultContainer<Value, Never, Never, IntentDialog>, Value: _IntentValue { stub() }
}

/// https://developer.apple.com/documentation/appintents/intentmodes
@available(iOS 26.0, macOS 26.0, *)
public struct IntentModes {
    /// https://developer.apple.com/documentation/appintents/intentmodes/foreground
    public static var foreground: IntentModes { stub() }
}

/// https://developer.apple.com/documentation/appintents/appintent
public protocol AppIntent: Sendable {
    associatedtype PerformResult: IntentResult
    /// https://developer.apple.com/documentation/appintents/appintent/title
    static var title: LocalizedStringResource { get }
    /// https://developer.apple.com/documentation/appintents/appintent/description
    static var description: IntentDescription? { get }
    /// https://developer.apple.com/documentation/appintents/appintent/openappwhenrun
    static var openAppWhenRun: Bool { get }
    /// https://developer.apple.com/documentation/appintents/appintent/supportedmodes
    @available(iOS 26.0, macOS 26.0, *)
    static var supportedModes: IntentModes { get }
    /// https://developer.apple.com/documentation/appintents/appintent/init()
    init()
    /// https://developer.apple.com/documentation/appintents/appintent/perform()
    func perform() async throws -> PerformResult
}

extension AppIntent {
    /// https://developer.apple.com/documentation/appintents/appintent/parameter
    public typealias Parameter = IntentParameter
    /// https://developer.apple.com/documentation/appintents/appintent/description
    public static var description: IntentDescription? { stub() }
    /// https://developer.apple.com/documentation/appintents/appintent/openappwhenrun
    public static var openAppWhenRun: Bool { stub() }
    /// https://developer.apple.com/documentation/appintents/appintent/supportedmodes
    @available(iOS 26.0, macOS 26.0, *)
    public static var supportedModes: IntentModes { stub() }
}

/// https://developer.apple.com/documentation/appintents/intentfile
public struct IntentFile: Sendable {
    /// https://developer.apple.com/documentation/appintents/intentfile/filename
    public var filename: String { stub() }
    /// https://developer.apple.com/documentation/appintents/intentfile/data
    public var data: Data { stub() }
}

/// https://developer.apple.com/documentation/appintents/intentparameter
@propertyWrapper public final class IntentParameter<Value: _IntentValue & Sendable>: @unchecked Sendable {
    init(_ value: Value) { stub() }
    /// https://developer.apple.com/documentation/appintents/intentparameter/wrappedvalue
    public var wrappedValue: Value {
        get { stub() }
        set { stub() }
    }
}

extension IntentParameter where Value == IntentFile {
    /// https://developer.apple.com/documentation/appintents/intentparameter/init(title:description:default:supportedtypeidentifiers:requestvaluedialog:inputconnectionbehavior:)
    public convenience init(
        title: LocalizedStringResource, description: LocalizedStringResource? = nil,
        supportedTypeIdentifiers: [String] = []
    ) { stub() }
}

/// https://developer.apple.com/documentation/appintents/appshortcutphrasetoken
public enum AppShortcutPhraseToken {
    case applicationName
}

/// https://developer.apple.com/documentation/appintents/appshortcutphrase
public struct AppShortcutPhrase<Intent: AppIntent>: ExpressibleByStringInterpolation {
    /// https://developer.apple.com/documentation/appintents/appshortcutphrase/stringinterpolation
    public struct StringInterpolation: StringInterpolationProtocol {
        /// https://developer.apple.com/documentation/swift/stringinterpolationprotocol/init(literalcapacity:interpolationcount:)
        public init(literalCapacity: Int, interpolationCount: Int) { stub() }
        /// https://developer.apple.com/documentation/swift/stringinterpolationprotocol/appendliteral(_:)
        public mutating func appendLiteral(_ literal: String) { stub() }
        /// https://developer.apple.com/documentation/appintents/appshortcutphrase/stringinterpolation
        public mutating func appendInterpolation(_ token: AppShortcutPhraseToken) { stub() }
    }
    /// https://developer.apple.com/documentation/swift/expressiblebystringinterpolation/init(stringinterpolation:)
    public init(stringInterpolation: StringInterpolation) { stub() }
    /// https://developer.apple.com/documentation/swift/expressiblebystringliteral/init(stringliteral:)
    public init(stringLiteral value: String) { stub() }
}

/// https://developer.apple.com/documentation/appintents/appshortcut
public struct AppShortcut {
    /// https://developer.apple.com/documentation/appintents/appshortcut/init(intent:phrases:shorttitle:systemimagename:)-8yntq
    public init<Intent: AppIntent>(
        intent: Intent, phrases: [AppShortcutPhrase<Intent>], shortTitle: LocalizedStringResource,
        systemImageName: String
    ) { stub() }
}

/// https://developer.apple.com/documentation/appintents/appshortcutsbuilder
@resultBuilder public enum AppShortcutsBuilder {
    /// https://developer.apple.com/documentation/appintents/appshortcutsbuilder
    public static func buildBlock(_ components: AppShortcut...) -> [AppShortcut] { stub() }
}

/// https://developer.apple.com/documentation/appintents/appshortcutsprovider
public protocol AppShortcutsProvider {
    /// https://developer.apple.com/documentation/appintents/appshortcutsprovider/appshortcuts
    @AppShortcutsBuilder static var appShortcuts: [AppShortcut] { get }
}
