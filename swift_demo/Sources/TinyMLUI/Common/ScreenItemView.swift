#if canImport(SwiftUI)
import Charts
import SwiftUI
import TinyMLCore

/// Draws one line or control of a screen; what only a screen itself can make comes from `slot`.
struct ScreenItemView<Action: Hashable & Sendable, Slot: View>: View {
    let item: ScreenItem<Action>
    let perform: @MainActor (Action) -> Void
    @ViewBuilder let slot: (ScreenSlot) -> Slot

    var body: some View {
        switch item {
        case .heading(let phrase): Text(phrase).font(.headline)
        case .text(let phrase): Text(phrase)
        case .note(let phrase): Text(phrase).font(.footnote).foregroundStyle(.secondary)
        case .remark(let phrase, let symbol, let label): RemarkView(phrase: phrase, symbol: symbol, label: label)
        case .value(let title, let value):
            LabeledContent {
                Text(verbatim: value)
            } label: {
                Text(title)
            }
        case .labeled(let title, let value):
            LabeledContent {
                Text(value)
            } label: {
                Text(title)
            }
        case .prediction(let label, let synonyms, let fraction, let reading):
            PredictionRow(label: label, synonyms: synonyms, fraction: fraction, reading: reading)
        case .row(let title, let detail, let isChosen, let action): row(title, detail, isChosen, action)
        case .button(let title, let action, let symbol, let role, let isEnabled, let question):
            ActionButton(title: title, symbol: symbol, role: role.system, question: question) { perform(action) }
                .disabled(!isEnabled)
        case .toggle(let title, let isOn, let action):
            Toggle(isOn: ItemControl(isOn) { if $0 != isOn { perform(action) } }.binding) { Text(title) }
        case .choice(let title, let options): choice(title, options)
        case .progress(let title, let detail): ProgressRow(title: title, detail: detail)
        case .unavailable(let title, let symbol, let detail):
            ContentUnavailableView {
                Label(title, symbol: symbol)
            } description: {
                Text(detail)
            }
        case .finding(let verdict, let symbol, let name, let sentence):
            VStack(alignment: .leading, spacing: 4) {
                Label(verdict, symbol: symbol).font(.headline)
                Text(name)
                Text(sentence).font(.footnote).foregroundStyle(.secondary)
            }
            .accessibilityElement(children: .combine)
        case .chart(let title, let unit, let axis, let bars):
            Chart(bars) { bar in
                BarMark(x: .value(unit.localized, bar.value), y: .value(axis.localized, bar.name))
            }
            .frame(height: 160)
            .accessibilityLabel(Text(title))
        case .slot(let kind, let description):
            slot(kind).accessibilityLabel(Text(description))
        }
    }

    @ViewBuilder private func row(_ title: String, _ detail: Phrase, _ isChosen: Bool, _ action: Action?) -> some View {
        let row = ListRow(title: title, detail: detail, isChosen: isChosen)
        if let action {
            Button {
                perform(action)
            } label: {
                row
            }
        } else {
            row
        }
    }

    private func choice(_ title: Phrase, _ options: [ScreenItem<Action>.Option]) -> some View {
        let chosen = options.firstIndex { $0.isChosen } ?? 0
        return Picker(selection: ItemControl(chosen) { perform(options[$0].action) }.binding) {
            ForEach(options.indices, id: \.self) { Text(options[$0].title).tag($0) }
        } label: {
            Text(title)
        }
    }
}

/// A button that asks first, where there is a question.
private struct ActionButton: View {
    let title: Phrase
    let symbol: String?
    let role: ButtonRole?
    let question: Phrase?
    let perform: @MainActor () -> Void
    @State private var isAsking = false

    var body: some View {
        if let question {
            button { isAsking = true }
                .confirmationDialog(Text(question), isPresented: $isAsking, titleVisibility: .visible) {
                    // The system adds the button that cancels.
                    DialogButton(title: title, role: role, perform: perform)
                }
        } else {
            button(perform)
        }
    }

    private func button(_ action: @escaping @MainActor () -> Void) -> some View {
        Button(role: role) {
            action()
        } label: {
            if let symbol { Label(title, symbol: symbol) } else { Text(title) }
        }
    }
}

/// A button of an alert or a dialog: nothing but text, since a symbol beside it would leave the system's sheet without a
/// title, which ends the app.
struct DialogButton: View {
    let title: Phrase
    let role: ButtonRole?
    let perform: @MainActor () -> Void

    var body: some View {
        Button(role: role) {
            perform()
        } label: {
            Text(title)
        }
    }
}

private struct RemarkView: View {
    let phrase: Phrase
    let symbol: String
    let label: Phrase?

    var body: some View {
        Label(phrase, symbol: symbol)
            .accessibilityElement(children: .ignore)
            .accessibilityLabel(Text(label ?? phrase))
            .accessibilityValue(Text(verbatim: label == nil ? "" : phrase.localized))
    }
}

/// A class with a bar of its probability; one element for VoiceOver.
private struct PredictionRow: View {
    let label: String
    let synonyms: String?
    let fraction: Double
    let reading: String

    var body: some View {
        VStack(alignment: .leading, spacing: 2) {
            HStack {
                Text(verbatim: label).font(.headline).textSelection(.enabled)
                Spacer()
                Text(verbatim: reading).font(.body.monospacedDigit())
            }
            if let synonyms {
                Text(verbatim: synonyms).font(.footnote).foregroundStyle(.secondary).textSelection(.enabled)
            }
            ProgressView(value: fraction)
        }
        .accessibilityElement(children: .ignore)
        .accessibilityLabel(Text(verbatim: [label, synonyms].compactMap { $0 }.joined(separator: ", ")))
        .accessibilityValue(Text(verbatim: reading))
    }
}

private struct ListRow: View {
    let title: String
    let detail: Phrase
    let isChosen: Bool

    var body: some View {
        HStack {
            VStack(alignment: .leading) {
                Text(verbatim: title).font(.headline)
                Text(detail).font(.footnote).foregroundStyle(.secondary)
            }
            Spacer()
            if isChosen { Image(systemName: "checkmark") }
        }
        .accessibilityElement(children: .combine)
        .accessibilityAddTraits(isChosen ? [.isSelected] : [])
    }
}

private struct ProgressRow: View {
    let title: Phrase
    let detail: Phrase?

    var body: some View {
        HStack {
            ProgressView()
            VStack(alignment: .leading) {
                Text(title)
                if let detail { Text(detail).font(.footnote).foregroundStyle(.secondary) }
            }
        }
        .accessibilityElement(children: .combine)
    }
}

extension Text {
    init(_ phrase: Phrase) { self.init(verbatim: phrase.localized) }
}

extension Label where Title == Text, Icon == Image {
    init(_ phrase: Phrase, symbol: String) {
        self.init {
            Text(phrase)
        } icon: {
            Image(systemName: symbol)
        }
    }
}

extension ScreenItem.Role {
    var system: ButtonRole? {
        switch self {
        case .plain: nil
        case .cancel: .cancel
        case .destructive: .destructive
        }
    }
}
#endif
