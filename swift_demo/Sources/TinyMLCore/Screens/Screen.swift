/// What a screen shows, from top to bottom: everything but its look.
///
/// Views draw it and hand back actions, so that texts, order and states are tested where there is no SwiftUI.
public struct Screen<Action: Hashable & Sendable>: Hashable, Sendable {
    public let title: Phrase
    public var sections: [ScreenSection<Action>]

    public init(title: Phrase, sections: [ScreenSection<Action>]) {
        self.title = title
        self.sections = sections
    }
}

/// Items that belong together, under a heading.
public struct ScreenSection<Action: Hashable & Sendable>: Hashable, Sendable, Identifiable {
    public let id: String
    public let title: Phrase?
    public let items: [ScreenItem<Action>]

    public init(_ id: String, title: Phrase? = nil, _ items: [ScreenItem<Action>]) {
        self.id = id
        self.title = title
        self.items = items
    }
}

/// One line or control.
public enum ScreenItem<Action: Hashable & Sendable>: Hashable, Sendable {
    /// What a button is for; destructive ones are asked about by the system's colour alone.
    public enum Role: Hashable, Sendable { case plain, cancel, destructive }

    /// One answer to a question, and what choosing it does.
    public struct Option: Hashable, Sendable {
        public let title: Phrase
        public let action: Action
        public let isChosen: Bool

        public init(_ title: Phrase, _ action: Action, isChosen: Bool) {
            self.title = title
            self.action = action
            self.isChosen = isChosen
        }
    }

    /// One bar of a chart.
    public struct Bar: Hashable, Sendable {
        public let name: String
        public let value: Double
    }

    case text(Phrase)
    case note(Phrase)
    case value(Phrase, String)
    /// A class: its name, its probability from 0 to 1 and how that reads.
    case prediction(label: String, fraction: Double, reading: String)
    /// A line of a list: chosen or not, with what a tap does.
    case row(title: Phrase, detail: Phrase?, symbol: String?, isChosen: Bool, action: Action?)
    case button(Phrase, symbol: String?, role: Role, isEnabled: Bool, action: Action)
    case toggle(Phrase, isOn: Bool, action: Action)
    case choice(Phrase, [Option])
    /// A number to drag between two ends in steps; the view adds the number to the action.
    case slider(Phrase, value: Double, from: Double, to: Double, step: Double, reading: String)
    /// Something under way; nil where nobody knows how far.
    case progress(Phrase, detail: Phrase?, fraction: Double?)
    case unavailable(Phrase, symbol: String, detail: Phrase?)
    case chart(Phrase, unit: Phrase, [Bar])
    /// A picture that the view holds; the phrase is its description for those who do not see it.
    case picture(Phrase)

    /// A button that can be pressed.
    static func button(_ title: Phrase, _ action: Action, symbol: String? = nil, role: Role = .plain) -> Self {
        .button(title, symbol: symbol, role: role, isEnabled: true, action: action)
    }
}

extension Screen {
    /// The screen as plain text in the words of `translate`: what the tests compare.
    public func transcript(_ translate: (String) -> String) -> String {
        var lines = ["= \(title.text(translate)) ="]
        for section in sections {
            lines.append("")
            if let title = section.title { lines.append("-- \(title.text(translate)) --") }
            lines += section.items.map { $0.transcript(translate) }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension ScreenItem {
    func transcript(_ translate: (String) -> String) -> String {
        func detail(_ phrase: Phrase?) -> String { phrase.map { ": \($0.text(translate))" } ?? "" }
        switch self {
        case .text(let phrase): return phrase.text(translate)
        case .note(let phrase): return "(\(phrase.text(translate)))"
        case .value(let title, let value): return "\(title.text(translate)): \(value)"
        case .prediction(let label, let fraction, let reading):
            return "\(label) \(reading) \(String(repeating: "#", count: Int((fraction * 10).rounded())))"
        case .row(let title, let text, let symbol, let isChosen, let action):
            let mark = isChosen ? "(*) " : action == nil ? "" : "( ) "
            return mark + (symbol.map { "<\($0)> " } ?? "") + title.text(translate) + detail(text)
        case .button(let title, _, let role, let isEnabled, _):
            let mark = role == .destructive ? "!" : ""
            return "[\(mark)\(title.text(translate))]\(isEnabled ? "" : " disabled")"
        case .toggle(let title, let isOn, _): return "[\(isOn ? "x" : " ")] \(title.text(translate))"
        case .choice(let title, let options):
            let listed = options.map { $0.isChosen ? "*\($0.title.text(translate))*" : $0.title.text(translate) }
            return "\(title.text(translate)): \(listed.joined(separator: " | "))"
        case .slider(let title, _, let from, let to, _, let reading):
            return "\(title.text(translate)): \(reading) <\(from) ... \(to)>"
        case .progress(let title, let text, let fraction):
            return "... \(title.text(translate))\(detail(text))\(fraction.map { " \(Int($0 * 100))%" } ?? "")"
        case .unavailable(let title, let symbol, let text):
            return "<\(symbol)> \(title.text(translate))\(detail(text))"
        case .chart(let title, let unit, let bars):
            let drawn = bars.map { "\n  \($0.name) \(($0.value * 100).rounded() / 100)" }.joined()
            return "\(title.text(translate)) (\(unit.text(translate)))\(drawn)"
        case .picture(let description): return "{\(description.text(translate))}"
        }
    }
}
