import SwiftUI

/// https://developer.apple.com/documentation/charts/chartcontent
@MainActor @preconcurrency public protocol ChartContent {}

/// https://developer.apple.com/documentation/charts/plottablevalue
public struct PlottableValue<Value> {
    /// https://developer.apple.com/documentation/charts/plottablevalue/value(_:_:)
    public static func value<S: StringProtocol>(_ label: S, _ value: Value) -> PlottableValue<Value> { stub() }
}

/// https://developer.apple.com/documentation/charts/barmark
public struct BarMark: ChartContent {
    /// https://developer.apple.com/documentation/charts/barmark/init(x:y:width:height:stacking:)
    public init<X, Y>(x: PlottableValue<X>, y: PlottableValue<Y>) { stub() }
}

/// https://developer.apple.com/documentation/charts/chartcontentbuilder
@resultBuilder public struct ChartContentBuilder {
    /// https://developer.apple.com/documentation/charts/chartcontentbuilder
    public static func buildBlock<Content: ChartContent>(_ content: Content) -> Content { stub() }
}

/// https://developer.apple.com/documentation/charts/chart
public struct Chart<Content: ChartContent>: View {
    /// https://developer.apple.com/documentation/charts/chart/init(_:content:)
    public init<Data: RandomAccessCollection>(
        _ data: Data, @ChartContentBuilder content: @escaping (Data.Element) -> Content
    ) where Data.Element: Identifiable { stub() }
    /// https://developer.apple.com/documentation/charts/chart
    public var body: Never { stub() }
}
