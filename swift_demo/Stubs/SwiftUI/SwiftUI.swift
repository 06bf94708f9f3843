@_exported import CoreGraphics
import CoreTransferable
@_exported import Foundation
@_exported import Observation
import UniformTypeIdentifiers
#if canImport(UIKit)
import UIKit
#elseif canImport(AppKit)
import AppKit
#endif

// MARK: Views and how they are built

/// https://developer.apple.com/documentation/swiftui/view
@MainActor @preconcurrency public protocol View {
    associatedtype Body: View
    @ViewBuilder var body: Body { get }
}

/// https://developer.apple.com/documentation/swift/never
extension Never: View {
    /// https://developer.apple.com/documentation/swift/never
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swift/optional
extension Optional: View where Wrapped: View {
    /// https://developer.apple.com/documentation/swift/optional
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/viewbuilder
@resultBuilder public struct ViewBuilder {
    /// https://developer.apple.com/documentation/swiftui/viewbuilder/buildexpression(_:)
    public static func buildExpression<Content: View>(_ content: Content) -> Content { stub() }
    /// https://developer.apple.com/documentation/swiftui/viewbuilder/buildblock()
    public static func buildBlock() -> EmptyView { stub() }
    /// https://developer.apple.com/documentation/swiftui/viewbuilder/buildblock(_:)
    public static func buildBlock<Content: View>(_ content: Content) -> Content { stub() }
    /// https://developer.apple.com/documentation/swiftui/viewbuilder/buildblock(_:)-5vzp2
    public static func buildBlock<each Content: View>(_ content: repeat each Content) -> TupleView<
        (repeat each Content)
    > { stub() }
    /// https://developer.apple.com/documentation/swiftui/viewbuilder/buildif(_:)
    public static func buildIf<Content: View>(_ content: Content?) -> Content? { stub() }
    /// https://developer.apple.com/documentation/swiftui/viewbuilder/buildeither(first:)
    public static func buildEither<First: View, Second: View>(first: First) -> _ConditionalContent<First, Second> {
        stub()
    }
    /// https://developer.apple.com/documentation/swiftui/viewbuilder/buildeither(second:)
    public static func buildEither<First: View, Second: View>(second: Second) -> _ConditionalContent<First, Second> {
        stub()
    }
}

/// https://developer.apple.com/documentation/swiftui/tupleview
public struct TupleView<T>: View {
    /// https://developer.apple.com/documentation/swiftui/tupleview
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/_conditionalcontent
public struct _ConditionalContent<First: View, Second: View>: View {
    /// https://developer.apple.com/documentation/swiftui/_conditionalcontent
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/emptyview
public struct EmptyView: View {
    /// https://developer.apple.com/documentation/swiftui/emptyview/init()
    public init() {}
    /// https://developer.apple.com/documentation/swiftui/emptyview
    public var body: Never { stub() }
}

// MARK: State

/// https://developer.apple.com/documentation/swiftui/state
@propertyWrapper public struct State<Value> {
    /// https://developer.apple.com/documentation/swiftui/state/init(wrappedvalue:)
    public init(wrappedValue: Value) { stub() }
    /// https://developer.apple.com/documentation/swiftui/state/wrappedvalue
    public var wrappedValue: Value {
        get { stub() }
        nonmutating set { stub() }
    }
    /// https://developer.apple.com/documentation/swiftui/state/projectedvalue
    public var projectedValue: Binding<Value> { stub() }
}

extension State where Value: ExpressibleByNilLiteral {
    /// https://developer.apple.com/documentation/swiftui/state/init()
    public init() { stub() }
}

/// https://developer.apple.com/documentation/swiftui/binding
@propertyWrapper @dynamicMemberLookup public struct Binding<Value> {
    /// https://developer.apple.com/documentation/swiftui/binding/init(projectedvalue:)
    public init(projectedValue: Binding<Value>) { stub() }
    /// https://developer.apple.com/documentation/swiftui/binding/wrappedvalue
    public var wrappedValue: Value {
        get { stub() }
        nonmutating set { stub() }
    }
    /// https://developer.apple.com/documentation/swiftui/binding/projectedvalue
    public var projectedValue: Binding<Value> { stub() }
    /// https://developer.apple.com/documentation/swiftui/binding/subscript(dynamicmember:)
    public subscript<Subject>(dynamicMember keyPath: WritableKeyPath<Value, Subject>) -> Binding<Subject> { stub() }
}

/// https://developer.apple.com/documentation/swiftui/bindable
@propertyWrapper @dynamicMemberLookup public struct Bindable<Value> {
    /// https://developer.apple.com/documentation/swiftui/bindable/init(wrappedvalue:)
    public init(wrappedValue: Value) where Value: AnyObject & Observable { stub() }
    /// https://developer.apple.com/documentation/swiftui/bindable/wrappedvalue
    public var wrappedValue: Value {
        get { stub() }
        set { stub() }
    }
    /// https://developer.apple.com/documentation/swiftui/bindable/projectedvalue
    public var projectedValue: Bindable<Value> { stub() }
}

extension Bindable where Value: AnyObject {
    /// https://developer.apple.com/documentation/swiftui/bindable/subscript(dynamicmember:)
    public subscript<Subject>(dynamicMember keyPath: ReferenceWritableKeyPath<Value, Subject>) -> Binding<Subject> {
        stub()
    }
}

// MARK: Text and images

/// https://developer.apple.com/documentation/swiftui/localizedstringkey
public struct LocalizedStringKey: Equatable, ExpressibleByStringLiteral {
    /// https://developer.apple.com/documentation/swiftui/localizedstringkey/init(stringliteral:)
    public init(stringLiteral value: String) { stub() }
}

/// https://developer.apple.com/documentation/swiftui/text
public struct Text: View, Sendable {
    /// https://developer.apple.com/documentation/swiftui/text/init(verbatim:)
    public init(verbatim content: String) { stub() }
    /// https://developer.apple.com/documentation/swiftui/text/init(_:tablename:bundle:comment:)
    public init(_ key: LocalizedStringKey) { stub() }
    /// https://developer.apple.com/documentation/swiftui/text
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/font
public struct Font: Hashable, Sendable {
    /// https://developer.apple.com/documentation/swiftui/font/headline
    public static var headline: Font { stub() }
    /// https://developer.apple.com/documentation/swiftui/font/body
    public static var body: Font { stub() }
    /// https://developer.apple.com/documentation/swiftui/font/footnote
    public static var footnote: Font { stub() }
    /// https://developer.apple.com/documentation/swiftui/font/system(size:weight:design:)-697b2
    public static func system(size: CGFloat) -> Font { stub() }
    /// https://developer.apple.com/documentation/swiftui/font/monospaceddigit()
    public func monospacedDigit() -> Font { stub() }
}

/// https://developer.apple.com/documentation/swiftui/image
public struct Image: View {
    /// https://developer.apple.com/documentation/swiftui/image/init(systemname:)
    public init(systemName: String) { stub() }
    /// https://developer.apple.com/documentation/swiftui/image/init(decorative:scale:orientation:)
    public init(decorative cgImage: CGImage, scale: CGFloat) { stub() }
    /// https://developer.apple.com/documentation/swiftui/image/interpolation
    public enum Interpolation: Sendable {
        case none
        case low
        case medium
        case high
    }
    /// https://developer.apple.com/documentation/swiftui/image/interpolation(_:)
    public func interpolation(_ interpolation: Interpolation) -> Image { stub() }
    /// https://developer.apple.com/documentation/swiftui/image/resizable(capinsets:resizingmode:)
    public func resizable() -> Image { stub() }
    /// https://developer.apple.com/documentation/swiftui/image
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/label
public struct Label<Title: View, Icon: View>: View {
    /// https://developer.apple.com/documentation/swiftui/label/init(title:icon:)
    public init(@ViewBuilder title: () -> Title, @ViewBuilder icon: () -> Icon) { stub() }
    /// https://developer.apple.com/documentation/swiftui/label
    public var body: Never { stub() }
}

extension Label where Title == Text, Icon == Image {
    /// https://developer.apple.com/documentation/swiftui/label/init(_:systemimage:)
    public init(_ titleKey: LocalizedStringKey, systemImage name: String) { stub() }
}

/// https://developer.apple.com/documentation/swiftui/labeledcontent
public struct LabeledContent<Label: View, Content: View>: View {
    /// https://developer.apple.com/documentation/swiftui/labeledcontent/init(content:label:)
    public init(@ViewBuilder content: () -> Content, @ViewBuilder label: () -> Label) { stub() }
    /// https://developer.apple.com/documentation/swiftui/labeledcontent
    public var body: Never { stub() }
}

extension LabeledContent where Label == Text, Content == Text {
    /// https://developer.apple.com/documentation/swiftui/labeledcontent/init(_:value:)
    public init<S: StringProtocol>(_ titleKey: LocalizedStringKey, value: S) { stub() }
}

/// https://developer.apple.com/documentation/swiftui/contentunavailableview
public struct ContentUnavailableView<Label: View, Description: View, Actions: View>: View {
    /// https://developer.apple.com/documentation/swiftui/contentunavailableview
    public var body: Never { stub() }
}

extension ContentUnavailableView where Actions == EmptyView {
    /// https://developer.apple.com/documentation/swiftui/contentunavailableview/init(label:description:actions:)
    public init(@ViewBuilder label: () -> Label, @ViewBuilder description: () -> Description) { stub() }
}

// MARK: Layout

/// https://developer.apple.com/documentation/swiftui/horizontalalignment
public enum HorizontalAlignment: Sendable {
    case leading
    case center
    case trailing
}

/// https://developer.apple.com/documentation/swiftui/hstack
public struct HStack<Content: View>: View {
    /// https://developer.apple.com/documentation/swiftui/hstack/init(alignment:spacing:content:)
    public init(@ViewBuilder content: () -> Content) { stub() }
    /// https://developer.apple.com/documentation/swiftui/hstack
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/vstack
public struct VStack<Content: View>: View {
    /// https://developer.apple.com/documentation/swiftui/vstack/init(alignment:spacing:content:)
    public init(alignment: HorizontalAlignment = .center, spacing: CGFloat? = nil, @ViewBuilder content: () -> Content)
    { stub() }
    /// https://developer.apple.com/documentation/swiftui/vstack
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/scrollview
public struct ScrollView<Content: View>: View {
    /// https://developer.apple.com/documentation/swiftui/scrollview/init(_:content:)
    public init(@ViewBuilder content: () -> Content) { stub() }
    /// https://developer.apple.com/documentation/swiftui/scrollview
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/spacer
public struct Spacer: View {
    /// https://developer.apple.com/documentation/swiftui/spacer/init(minlength:)
    public init() {}
    /// https://developer.apple.com/documentation/swiftui/spacer
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/foreach
public struct ForEach<Data: RandomAccessCollection, ID: Hashable, Content: View>: View {
    /// https://developer.apple.com/documentation/swiftui/foreach/init(_:id:content:)
    public init(_ data: Data, id: KeyPath<Data.Element, ID>, @ViewBuilder content: @escaping (Data.Element) -> Content)
    { stub() }
    /// https://developer.apple.com/documentation/swiftui/foreach
    public var body: Never { stub() }
}

extension ForEach where Data.Element: Identifiable, ID == Data.Element.ID {
    /// https://developer.apple.com/documentation/swiftui/foreach/init(_:content:)
    public init(_ data: Data, @ViewBuilder content: @escaping (Data.Element) -> Content) { stub() }
}

/// https://developer.apple.com/documentation/swiftui/form
public struct Form<Content: View>: View {
    /// https://developer.apple.com/documentation/swiftui/form/init(content:)
    public init(@ViewBuilder content: () -> Content) { stub() }
    /// https://developer.apple.com/documentation/swiftui/form
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/list
public struct List<SelectionValue, Content: View>: View {
    /// https://developer.apple.com/documentation/swiftui/list
    public var body: Never { stub() }
}

extension List where SelectionValue == Never {
    /// https://developer.apple.com/documentation/swiftui/list/init(content:)
    public init(@ViewBuilder content: () -> Content) { stub() }
}

/// https://developer.apple.com/documentation/swiftui/section
public struct Section<Parent: View, Content: View, Footer: View>: View {
    /// https://developer.apple.com/documentation/swiftui/section/init(content:header:footer:)
    public init(
        @ViewBuilder content: () -> Content, @ViewBuilder header: () -> Parent, @ViewBuilder footer: () -> Footer
    ) { stub() }
    /// https://developer.apple.com/documentation/swiftui/section
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/navigationstack
public struct NavigationStack<Data, Root: View>: View {
    /// https://developer.apple.com/documentation/swiftui/navigationstack
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/navigationpath
public struct NavigationPath {}

extension NavigationStack where Data == NavigationPath {
    /// https://developer.apple.com/documentation/swiftui/navigationstack/init(root:)
    public init(@ViewBuilder root: () -> Root) { stub() }
}

/// https://developer.apple.com/documentation/swiftui/navigationlink
public struct NavigationLink<Label: View, Destination: View>: View {
    /// https://developer.apple.com/documentation/swiftui/navigationlink/init(destination:label:)
    public init(@ViewBuilder destination: () -> Destination, @ViewBuilder label: () -> Label) { stub() }
    /// https://developer.apple.com/documentation/swiftui/navigationlink
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/tabview
public struct TabView<SelectionValue: Hashable, Content: View>: View {
    /// https://developer.apple.com/documentation/swiftui/tabview
    public var body: Never { stub() }
}

extension TabView {
    /// https://developer.apple.com/documentation/swiftui/tabview/init(selection:content:)
    public init(selection: Binding<SelectionValue>?, @ViewBuilder content: () -> Content) { stub() }
}

/// https://developer.apple.com/documentation/swiftui/textfield
public struct TextField<Label: View>: View {
    /// https://developer.apple.com/documentation/swiftui/textfield/init(text:prompt:label:)
    public init(text: Binding<String>, prompt: Text? = nil, @ViewBuilder label: () -> Label) { stub() }
    /// https://developer.apple.com/documentation/swiftui/textfield
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/geometryproxy
public struct GeometryProxy {
    /// https://developer.apple.com/documentation/swiftui/geometryproxy/size
    public var size: CGSize { stub() }
}

/// https://developer.apple.com/documentation/swiftui/geometryreader
public struct GeometryReader<Content: View>: View {
    /// https://developer.apple.com/documentation/swiftui/geometryreader/init(content:)
    public init(@ViewBuilder content: @escaping (GeometryProxy) -> Content) { stub() }
    /// https://developer.apple.com/documentation/swiftui/geometryreader
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/openurlaction
@MainActor @preconcurrency public struct OpenURLAction {
    /// https://developer.apple.com/documentation/swiftui/openurlaction/callasfunction(_:)
    public func callAsFunction(_ url: URL) { stub() }
}

/// https://developer.apple.com/documentation/swiftui/scenephase
public enum ScenePhase: Comparable, Sendable {
    case background
    case inactive
    case active
}

/// https://developer.apple.com/documentation/swiftui/environmentvalues
public struct EnvironmentValues {
    /// https://developer.apple.com/documentation/swiftui/environmentvalues/openurl
    public var openURL: OpenURLAction { stub() }
    /// https://developer.apple.com/documentation/swiftui/environmentvalues/scenephase
    public var scenePhase: ScenePhase { stub() }
}

/// https://developer.apple.com/documentation/swiftui/environment
@propertyWrapper public struct Environment<Value> {
    /// https://developer.apple.com/documentation/swiftui/environment/init(_:)
    public init(_ keyPath: KeyPath<EnvironmentValues, Value>) { stub() }
    /// https://developer.apple.com/documentation/swiftui/environment/wrappedvalue
    public var wrappedValue: Value { stub() }
}

// MARK: Controls

/// https://developer.apple.com/documentation/swiftui/buttonrole
public struct ButtonRole: Equatable, Sendable {
    /// https://developer.apple.com/documentation/swiftui/buttonrole/cancel
    public static var cancel: ButtonRole { stub() }
    /// https://developer.apple.com/documentation/swiftui/buttonrole/destructive
    public static var destructive: ButtonRole { stub() }
}

/// https://developer.apple.com/documentation/swiftui/button
public struct Button<Label: View>: View {
    /// https://developer.apple.com/documentation/swiftui/button/init(role:action:label:)
    @preconcurrency public init(
        role: ButtonRole?, action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> Label
    ) { stub() }
    /// https://developer.apple.com/documentation/swiftui/button/init(action:label:)
    @preconcurrency public init(action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> Label) { stub() }
    /// https://developer.apple.com/documentation/swiftui/button
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/formstyle
@MainActor @preconcurrency public protocol FormStyle {}

/// https://developer.apple.com/documentation/swiftui/groupedformstyle
public struct GroupedFormStyle: FormStyle {}

extension FormStyle where Self == GroupedFormStyle {
    /// https://developer.apple.com/documentation/swiftui/formstyle/grouped
    public static var grouped: GroupedFormStyle { stub() }
}

/// https://developer.apple.com/documentation/swiftui/primitivebuttonstyle
@MainActor @preconcurrency public protocol PrimitiveButtonStyle {}

/// https://developer.apple.com/documentation/swiftui/borderedbuttonstyle
public struct BorderedButtonStyle: PrimitiveButtonStyle {}

extension PrimitiveButtonStyle where Self == BorderedButtonStyle {
    /// https://developer.apple.com/documentation/swiftui/primitivebuttonstyle/bordered
    public static var bordered: BorderedButtonStyle { stub() }
}

/// https://developer.apple.com/documentation/swiftui/toggle
public struct Toggle<Label: View>: View {
    /// https://developer.apple.com/documentation/swiftui/toggle/init(ison:label:)
    public init(isOn: Binding<Bool>, @ViewBuilder label: () -> Label) { stub() }
    /// https://developer.apple.com/documentation/swiftui/toggle
    public var body: Never { stub() }
}

extension Toggle where Label == Text {
    /// https://developer.apple.com/documentation/swiftui/toggle/init(_:ison:)
    public init(_ titleKey: LocalizedStringKey, isOn: Binding<Bool>) { stub() }
}

/// https://developer.apple.com/documentation/swiftui/picker
public struct Picker<Label: View, SelectionValue: Hashable, Content: View>: View {
    /// https://developer.apple.com/documentation/swiftui/picker/init(selection:content:label:)
    public init(
        selection: Binding<SelectionValue>, @ViewBuilder content: () -> Content, @ViewBuilder label: () -> Label
    ) { stub() }
    /// https://developer.apple.com/documentation/swiftui/picker
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/progressview
public struct ProgressView<Label: View, CurrentValueLabel: View>: View {
    /// https://developer.apple.com/documentation/swiftui/progressview
    public var body: Never { stub() }
}

extension ProgressView where Label == EmptyView, CurrentValueLabel == EmptyView {
    /// https://developer.apple.com/documentation/swiftui/progressview/init()
    public init() { stub() }
    /// https://developer.apple.com/documentation/swiftui/progressview/init(value:total:)
    public init<V: BinaryFloatingPoint>(value: V?, total: V = 1.0) { stub() }
}

/// https://developer.apple.com/documentation/swiftui/sharelink
public struct ShareLink<Label: View>: View {
    /// https://developer.apple.com/documentation/swiftui/sharelink/init(item:subject:message:label:)
    public init(item: URL, @ViewBuilder label: () -> Label) { stub() }
    /// https://developer.apple.com/documentation/swiftui/sharelink/init(items:subject:message:label:)
    public init<Items: RandomAccessCollection>(items: Items, @ViewBuilder label: () -> Label)
    where Items.Element == URL { stub() }
    /// https://developer.apple.com/documentation/swiftui/sharelink
    public var body: Never { stub() }
}

// MARK: Modifiers

/// https://developer.apple.com/documentation/swiftui/contentmode
public enum ContentMode: Sendable {
    case fit
    case fill
}

/// https://developer.apple.com/documentation/swiftui/hierarchicalshapestyle
public struct HierarchicalShapeStyle: ShapeStyle {}
/// https://developer.apple.com/documentation/swiftui/shapestyle
public protocol ShapeStyle: Sendable {}

extension ShapeStyle where Self == HierarchicalShapeStyle {
    /// https://developer.apple.com/documentation/swiftui/shapestyle/secondary
    public static var secondary: HierarchicalShapeStyle { stub() }
}

/// https://developer.apple.com/documentation/swiftui/color
public struct Color: ShapeStyle, View {
    /// https://developer.apple.com/documentation/swiftui/color/black
    public static var black: Color { stub() }
    /// https://developer.apple.com/documentation/swiftui/color/white
    public static var white: Color { stub() }
    /// https://developer.apple.com/documentation/swiftui/color
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/alignment
public struct Alignment: Equatable, Sendable {
    /// https://developer.apple.com/documentation/swiftui/alignment/center
    public static var center: Alignment { stub() }
    /// https://developer.apple.com/documentation/swiftui/alignment/leading
    public static var leading: Alignment { stub() }
}

/// https://developer.apple.com/documentation/swiftui/textselectability
public protocol TextSelectability {}
/// https://developer.apple.com/documentation/swiftui/enabledtextselectability
public struct EnabledTextSelectability: TextSelectability {}

extension TextSelectability where Self == EnabledTextSelectability {
    /// https://developer.apple.com/documentation/swiftui/textselectability/enabled
    public static var enabled: EnabledTextSelectability { stub() }
}

/// https://developer.apple.com/documentation/swiftui/imagerenderer
public final class ImageRenderer<Content: View> {
    /// https://developer.apple.com/documentation/swiftui/imagerenderer/init(content:)
    @MainActor public init(content view: Content) { stub() }
    /// https://developer.apple.com/documentation/swiftui/imagerenderer/cgimage
    @MainActor public var cgImage: CGImage? { stub() }
}

/// https://developer.apple.com/documentation/swiftui/accessibilitychildbehavior
public struct AccessibilityChildBehavior: Hashable, Sendable {
    /// https://developer.apple.com/documentation/swiftui/accessibilitychildbehavior/ignore
    public static var ignore: AccessibilityChildBehavior { stub() }
    /// https://developer.apple.com/documentation/swiftui/accessibilitychildbehavior/combine
    public static var combine: AccessibilityChildBehavior { stub() }
}

/// https://developer.apple.com/documentation/swiftui/accessibilitytraits
public struct AccessibilityTraits: SetAlgebra, Sendable {
    /// https://developer.apple.com/documentation/swiftui/accessibilitytraits/isselected
    public static var isSelected: AccessibilityTraits { stub() }
    /// https://developer.apple.com/documentation/swiftui/accessibilitytraits
    public init() { stub() }
    /// https://developer.apple.com/documentation/swiftui/accessibilitytraits
    public func contains(_ member: AccessibilityTraits) -> Bool { stub() }
    /// https://developer.apple.com/documentation/swiftui/accessibilitytraits
    public func union(_ other: AccessibilityTraits) -> AccessibilityTraits { stub() }
    /// https://developer.apple.com/documentation/swiftui/accessibilitytraits
    public func intersection(_ other: AccessibilityTraits) -> AccessibilityTraits { stub() }
    /// https://developer.apple.com/documentation/swiftui/accessibilitytraits
    public func symmetricDifference(_ other: AccessibilityTraits) -> AccessibilityTraits { stub() }
    /// https://developer.apple.com/documentation/swiftui/accessibilitytraits
    public mutating func insert(_ newMember: AccessibilityTraits) -> (
        inserted: Bool, memberAfterInsert: AccessibilityTraits
    ) { stub() }
    /// https://developer.apple.com/documentation/swiftui/accessibilitytraits
    public mutating func remove(_ member: AccessibilityTraits) -> AccessibilityTraits? { stub() }
    /// https://developer.apple.com/documentation/swiftui/accessibilitytraits
    public mutating func update(with newMember: AccessibilityTraits) -> AccessibilityTraits? { stub() }
    /// https://developer.apple.com/documentation/swiftui/accessibilitytraits
    public mutating func formUnion(_ other: AccessibilityTraits) { stub() }
    /// https://developer.apple.com/documentation/swiftui/accessibilitytraits
    public mutating func formIntersection(_ other: AccessibilityTraits) { stub() }
    /// https://developer.apple.com/documentation/swiftui/accessibilitytraits
    public mutating func formSymmetricDifference(_ other: AccessibilityTraits) { stub() }
}

/// https://developer.apple.com/documentation/swiftui/modifiedcontent
public struct ModifiedView: View {
    /// https://developer.apple.com/documentation/swiftui/modifiedcontent
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/visibility
public enum Visibility: Hashable, Sendable {
    case automatic
    case visible
    case hidden
}

extension View {
    /// https://developer.apple.com/documentation/swiftui/view/font(_:)
    public func font(_ font: Font?) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/foregroundstyle(_:)
    public func foregroundStyle<S: ShapeStyle>(_ style: S) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/padding(_:_:)
    public func padding() -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/frame(width:height:alignment:)
    public func frame(width: CGFloat? = nil, height: CGFloat? = nil, alignment: Alignment = .center) -> ModifiedView {
        stub()
    }
    /// https://developer.apple.com/documentation/swiftui/view/frame(minwidth:idealwidth:maxwidth:minheight:idealheight:maxheight:alignment:)
    public func frame(minWidth: CGFloat? = nil, maxWidth: CGFloat? = nil, minHeight: CGFloat? = nil) -> ModifiedView {
        stub()
    }
    /// https://developer.apple.com/documentation/swiftui/view/aspectratio(_:contentmode:)
    public func aspectRatio(_ aspectRatio: CGFloat? = nil, contentMode: ContentMode) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/disabled(_:)
    public func disabled(_ disabled: Bool) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/tag(_:)
    public func tag<V: Hashable>(_ tag: V) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/tabitem(_:)
    public func tabItem<V: View>(@ViewBuilder _ label: () -> V) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/navigationtitle(_:)
    public func navigationTitle<S: StringProtocol>(_ title: S) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/formstyle(_:)
    public func formStyle<S: FormStyle>(_ style: S) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/buttonstyle(_:)
    public func buttonStyle<S: PrimitiveButtonStyle>(_ style: S) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/accessibilityelement(children:)
    public func accessibilityElement(children: AccessibilityChildBehavior = .ignore) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/accessibilitylabel(_:)
    public func accessibilityLabel(_ label: Text) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/accessibilityvalue(_:)
    public func accessibilityValue(_ value: Text) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/accessibilityaddtraits(_:)
    public func accessibilityAddTraits(_ traits: AccessibilityTraits) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/task(priority:_:)
    public func task(_ action: @escaping @MainActor @Sendable () async -> Void) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/task(id:priority:_:)
    public func task<T: Equatable>(id value: T, _ action: @escaping @MainActor @Sendable () async -> Void)
        -> ModifiedView
    { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/onchange(of:initial:_:)
    public func onChange<V: Equatable>(of value: V, _ action: @escaping () -> Void) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/background(_:ignoressafeareaedges:)
    public func background<S: ShapeStyle>(_ style: S) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/autocorrectiondisabled(_:)
    public func autocorrectionDisabled(_ disable: Bool = true) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/textselection(_:)
    public func textSelection<S: TextSelectability>(_ selectability: S) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/linelimit(_:)
    public func lineLimit(_ number: Int?) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/minimumscalefactor(_:)
    public func minimumScaleFactor(_ factor: CGFloat) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/confirmationdialog(_:ispresented:titlevisibility:actions:)
    public func confirmationDialog<A: View>(
        _ title: Text, isPresented: Binding<Bool>, titleVisibility: Visibility = .automatic,
        @ViewBuilder actions: () -> A
    ) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/sheet(ispresented:ondismiss:content:)
    public func sheet<Content: View>(isPresented: Binding<Bool>, @ViewBuilder content: @escaping () -> Content)
        -> ModifiedView
    { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/alert(_:ispresented:actions:message:)
    public func alert<S: StringProtocol, A: View, M: View>(
        _ title: S, isPresented: Binding<Bool>, @ViewBuilder actions: () -> A, @ViewBuilder message: () -> M
    ) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/fileexporter(ispresented:document:contenttype:defaultfilename:oncompletion:)
    public func fileExporter<D: FileDocument>(
        isPresented: Binding<Bool>, document: D?, contentType: UTType, defaultFilename: String? = nil,
        onCompletion: @escaping (Result<URL, any Error>) -> Void
    ) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/accessibilityidentifier(_:)
    public func accessibilityIdentifier(_ identifier: String) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/fileimporter(ispresented:allowedcontenttypes:oncompletion:)
    public func fileImporter(
        isPresented: Binding<Bool>, allowedContentTypes: [UTType],
        onCompletion: @escaping (Result<URL, any Error>) -> Void
    ) -> ModifiedView { stub() }
    /// https://developer.apple.com/documentation/swiftui/view/dropdestination(for:action:istargeted:)
    public func dropDestination<T: Transferable>(
        for payloadType: T.Type = T.self, action: @escaping (_ items: [T], _ location: CGPoint) -> Bool
    ) -> ModifiedView { stub() }
}

// MARK: The app

/// https://developer.apple.com/documentation/swiftui/scene
@MainActor @preconcurrency public protocol Scene {
    associatedtype Body: Scene
    @SceneBuilder var body: Body { get }
}

/// https://developer.apple.com/documentation/swift/never
extension Never: Scene {}

/// https://developer.apple.com/documentation/swiftui/scenebuilder
@resultBuilder public struct SceneBuilder {
    /// https://developer.apple.com/documentation/swiftui/scenebuilder/buildblock(_:)
    public static func buildBlock<Content: Scene>(_ content: Content) -> Content { stub() }
}

/// https://developer.apple.com/documentation/swiftui/windowgroup
public struct WindowGroup<Content: View>: Scene {
    /// https://developer.apple.com/documentation/swiftui/windowgroup/init(content:)
    public init(@ViewBuilder content: () -> Content) { stub() }
    /// https://developer.apple.com/documentation/swiftui/windowgroup
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/app
@MainActor @preconcurrency public protocol App {
    associatedtype Body: Scene
    @SceneBuilder var body: Body { get }
    init()
}

extension App {
    /// https://developer.apple.com/documentation/swiftui/app/main()
    public static func main() { stub() }
}

extension Scene {
    /// https://developer.apple.com/documentation/swiftui/scene/onchange(of:initial:_:)
    public func onChange<V: Equatable>(of value: V, initial: Bool = false, _ action: @escaping () -> Void)
        -> ModifiedScene
    { stub() }
}

/// https://developer.apple.com/documentation/swiftui/scene
public struct ModifiedScene: Scene {
    /// https://developer.apple.com/documentation/swiftui/scene
    public var body: Never { stub() }
}

// MARK: Documents

/// https://developer.apple.com/documentation/swiftui/filedocumentreadconfiguration
public struct FileDocumentReadConfiguration {
    /// https://developer.apple.com/documentation/swiftui/filedocumentreadconfiguration/file
    public let file: FileWrapper
}

/// https://developer.apple.com/documentation/swiftui/filedocumentwriteconfiguration
public struct FileDocumentWriteConfiguration {}

/// https://developer.apple.com/documentation/foundation/filewrapper
open class FileWrapper {
    /// https://developer.apple.com/documentation/foundation/filewrapper/init(regularfilewithcontents:)
    public init(regularFileWithContents contents: Data) { stub() }
    /// https://developer.apple.com/documentation/foundation/filewrapper/regularfilecontents
    open var regularFileContents: Data? { stub() }
}

// MARK: Widgets and controls

/// https://developer.apple.com/documentation/swiftui/widget
@MainActor @preconcurrency public protocol Widget {
    associatedtype Body
}

/// https://developer.apple.com/documentation/swiftui/widgetbundle
@MainActor @preconcurrency public protocol WidgetBundle {
    associatedtype Body: Widget
    /// https://developer.apple.com/documentation/swiftui/widgetbundle/body-swift.property
    @WidgetBundleBuilder var body: Body { get }
}

extension WidgetBundle {
    /// https://developer.apple.com/documentation/swiftui/widgetbundle/main()
    public static func main() { stub() }
}

/// https://developer.apple.com/documentation/swiftui/widgetbundlebuilder
public struct BundledControl: Widget {
    /// https://developer.apple.com/documentation/swiftui/widget/body-swift.associatedtype
    public typealias Body = Never
}

/// https://developer.apple.com/documentation/swiftui/widgetbundlebuilder
@resultBuilder public struct WidgetBundleBuilder {
    /// https://developer.apple.com/documentation/swiftui/widgetbundlebuilder/buildblock(_:)
    public static func buildBlock<Content: Widget>(_ content: Content) -> Content { stub() }
}

@available(iOS 18.0, macOS 26.0, *)
extension WidgetBundleBuilder {
    /// https://developer.apple.com/documentation/swiftui/widgetbundlebuilder/buildexpression(_:)
    public static func buildExpression<Content: ControlWidget>(_ content: Content) -> BundledControl { stub() }
}

@available(iOS 18.0, macOS 26.0, *)
/// https://developer.apple.com/documentation/swiftui/controlwidget
@MainActor @preconcurrency public protocol ControlWidget {
    associatedtype Body: ControlWidgetConfiguration
    /// https://developer.apple.com/documentation/swiftui/controlwidget/body-swift.property
    @ControlWidgetConfigurationBuilder var body: Body { get }
}

@available(iOS 18.0, macOS 26.0, *)
/// https://developer.apple.com/documentation/swiftui/controlwidgetconfiguration
@MainActor @preconcurrency public protocol ControlWidgetConfiguration {
    associatedtype Body
}

@available(iOS 18.0, macOS 26.0, *)
/// https://developer.apple.com/documentation/swiftui/controlwidgetconfigurationbuilder
@resultBuilder public struct ControlWidgetConfigurationBuilder {
    /// https://developer.apple.com/documentation/swiftui/controlwidgetconfigurationbuilder/buildblock(_:)
    public static func buildBlock<Content: ControlWidgetConfiguration>(_ content: Content) -> Content { stub() }
}

@available(iOS 18.0, macOS 26.0, *)
/// https://developer.apple.com/documentation/swiftui/controlwidgettemplate
@MainActor @preconcurrency public protocol ControlWidgetTemplate {
    associatedtype Body
}

@available(iOS 18.0, macOS 26.0, *)
/// https://developer.apple.com/documentation/swiftui/controlwidgettemplatebuilder
@resultBuilder public struct ControlWidgetTemplateBuilder {
    /// https://developer.apple.com/documentation/swiftui/controlwidgettemplatebuilder/buildblock(_:)
    public static func buildBlock<Content: ControlWidgetTemplate>(_ content: Content) -> Content { stub() }
}

// MARK: Views of the system's other frameworks

#if canImport(UIKit)
/// https://developer.apple.com/documentation/swiftui/textinputautocapitalization
public struct TextInputAutocapitalization: Sendable {
    /// https://developer.apple.com/documentation/swiftui/textinputautocapitalization/never
    public static var never: TextInputAutocapitalization { stub() }
}

/// https://developer.apple.com/documentation/swiftui/view
extension View {
    /// https://developer.apple.com/documentation/swiftui/view/textinputautocapitalization(_:)
    public func textInputAutocapitalization(_ autocapitalization: TextInputAutocapitalization?) -> ModifiedView {
        stub()
    }
    /// https://developer.apple.com/documentation/swiftui/view/keyboardtype(_:)
    public func keyboardType(_ type: UIKeyboardType) -> ModifiedView { stub() }
}

/// https://developer.apple.com/documentation/swiftui/uiviewrepresentable
@MainActor @preconcurrency public protocol UIViewRepresentable: View where Body == Never {
    associatedtype UIViewType: UIView
    associatedtype Coordinator = Void
    typealias Context = UIViewRepresentableContext<Self>
    func makeUIView(context: Context) -> UIViewType
    func updateUIView(_ uiView: UIViewType, context: Context)
    func makeCoordinator() -> Coordinator
}

extension UIViewRepresentable {
    /// https://developer.apple.com/documentation/swiftui/uiviewrepresentable
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/uiviewrepresentablecontext
@MainActor @preconcurrency public struct UIViewRepresentableContext<Representable: UIViewRepresentable> {
    /// https://developer.apple.com/documentation/swiftui/uiviewrepresentablecontext/coordinator
    public var coordinator: Representable.Coordinator { stub() }
}
#elseif canImport(AppKit)
/// https://developer.apple.com/documentation/swiftui/nsviewrepresentable
@MainActor @preconcurrency public protocol NSViewRepresentable: View where Body == Never {
    associatedtype NSViewType: NSView
    associatedtype Coordinator = Void
    typealias Context = NSViewRepresentableContext<Self>
    func makeNSView(context: Context) -> NSViewType
    func updateNSView(_ nsView: NSViewType, context: Context)
    func makeCoordinator() -> Coordinator
}

extension NSViewRepresentable {
    /// https://developer.apple.com/documentation/swiftui/nsviewrepresentable
    public var body: Never { stub() }
}

/// https://developer.apple.com/documentation/swiftui/nsviewrepresentablecontext
@MainActor @preconcurrency public struct NSViewRepresentableContext<Representable: NSViewRepresentable> {
    /// https://developer.apple.com/documentation/swiftui/nsviewrepresentablecontext/coordinator
    public var coordinator: Representable.Coordinator { stub() }
}
#endif

/// https://developer.apple.com/documentation/swiftui/filedocument
public protocol FileDocument: Sendable {
    /// https://developer.apple.com/documentation/swiftui/filedocument/readablecontenttypes
    static var readableContentTypes: [UTType] { get }
    /// https://developer.apple.com/documentation/swiftui/filedocument/init(configuration:)
    init(configuration: Self.ReadConfiguration) throws
    /// https://developer.apple.com/documentation/swiftui/filedocument/filewrapper(configuration:)
    func fileWrapper(configuration: Self.WriteConfiguration) throws -> FileWrapper
    /// https://developer.apple.com/documentation/swiftui/filedocument/readconfiguration
    typealias ReadConfiguration = FileDocumentReadConfiguration
    /// https://developer.apple.com/documentation/swiftui/filedocument/writeconfiguration
    typealias WriteConfiguration = FileDocumentWriteConfiguration
}
