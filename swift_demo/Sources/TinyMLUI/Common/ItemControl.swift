#if canImport(SwiftUI)
import Observation
import SwiftUI

/// What a switch or a choice shows, and what changing it does, for controls that want to write to something.
@MainActor
@Observable
final class ItemControl<Value> {
    private let value: Value
    private let change: @MainActor (Value) -> Void

    init(_ value: Value, _ change: @escaping @MainActor (Value) -> Void) {
        self.value = value
        self.change = change
    }

    var current: Value {
        get { value }
        set { change(newValue) }
    }

    /// A binding that a control can be given.
    var binding: Binding<Value> { Bindable(wrappedValue: self).current }
}
#endif
