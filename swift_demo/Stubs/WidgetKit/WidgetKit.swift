import AppIntents
import SwiftUI

@available(iOS 18.0, macOS 26.0, *)
/// https://developer.apple.com/documentation/widgetkit/staticcontrolconfiguration
@MainActor @preconcurrency public struct StaticControlConfiguration<Content: ControlWidgetTemplate> {
    /// https://developer.apple.com/documentation/widgetkit/staticcontrolconfiguration/init(kind:content:)
    public init(kind: String, @ControlWidgetTemplateBuilder content: @escaping () -> Content) { stub() }
}

@available(iOS 18.0, macOS 26.0, *)
extension StaticControlConfiguration: ControlWidgetConfiguration {
    /// https://developer.apple.com/documentation/swiftui/controlwidgetconfiguration/body-swift.associatedtype
    public typealias Body = Never
}

@available(iOS 18.0, macOS 26.0, *)
/// https://developer.apple.com/documentation/widgetkit/controlwidgetbutton
@MainActor @preconcurrency public struct ControlWidgetButton<Label: View, ActionLabel: View, Action> {}

@available(iOS 18.0, macOS 26.0, *)
extension ControlWidgetButton: ControlWidgetTemplate {
    /// https://developer.apple.com/documentation/swiftui/controlwidgettemplate/body-swift.associatedtype
    public typealias Body = Never
}

@available(iOS 18.0, macOS 26.0, *)
extension ControlWidgetButton where ActionLabel == ControlWidgetButtonDefaultActionLabel, Action: AppIntent {
    /// https://developer.apple.com/documentation/widgetkit/controlwidgetbutton/init(action:label:)-77p8j
    public init(action: Action, @ViewBuilder label: @escaping () -> Label) { stub() }
}

@available(iOS 18.0, macOS 26.0, *)
/// https://developer.apple.com/documentation/widgetkit/controlwidgetbuttondefaultactionlabel
public struct ControlWidgetButtonDefaultActionLabel: View {
    /// https://developer.apple.com/documentation/widgetkit/controlwidgetbuttondefaultactionlabel
    public var body: Never { stub() }
}

@available(iOS 18.0, macOS 26.0, *)
/// https://developer.apple.com/documentation/swiftui/controlwidgetconfiguration
extension ControlWidgetConfiguration {
    /// https://developer.apple.com/documentation/swiftui/controlwidgetconfiguration/displayname(_:)
    public func displayName(_ displayName: LocalizedStringResource) -> Self { stub() }
    /// https://developer.apple.com/documentation/swiftui/controlwidgetconfiguration/description(_:)
    public func description(_ description: LocalizedStringResource) -> Self { stub() }
}
