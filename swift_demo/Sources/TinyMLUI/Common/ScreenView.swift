#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// Draws a screen as a form, its sections one below the other.
struct ScreenView<Action: Hashable & Sendable, Slot: View>: View {
    let screen: Screen<Action>
    let perform: @MainActor (Action) -> Void
    @ViewBuilder let slot: (ScreenSlot) -> Slot

    var body: some View {
        if let obstacle = screen[.obstacle] {
            VStack {
                SectionItems(section: obstacle, perform: perform, slot: slot)
            }
            .buttonStyle(.bordered)
            .padding()
            .navigationTitle(screen.title.localized)
        } else {
            Form {
                ForEach(screen.sections) { section in
                    Section {
                        SectionItems(section: section, perform: perform, slot: slot)
                    } header: {
                        if let title = section.title { Text(title) }
                    } footer: {
                        if let remark = section.remark { Text(remark) }
                    }
                }
            }
            .formStyle(.grouped)
            .navigationTitle(screen.title.localized)
        }
    }
}

/// The items of one section in their order, without a heading.
struct SectionItems<Action: Hashable & Sendable, Slot: View>: View {
    let section: ScreenSection<Action>
    let perform: @MainActor (Action) -> Void
    @ViewBuilder let slot: (ScreenSlot) -> Slot

    var body: some View {
        ForEach(Array(section.items.enumerated()), id: \.offset) { _, item in
            ScreenItemView(item: item, perform: perform, slot: slot)
        }
    }
}

extension ScreenView where Slot == EmptyView {
    init(screen: Screen<Action>, perform: @escaping @MainActor (Action) -> Void) {
        self.init(screen: screen, perform: perform) { _ in EmptyView() }
    }
}
#endif
