/// What a screen shows, from top to bottom: everything but its look.
///
/// Views draw it and hand back actions, so that texts, order and states are tested where there is no SwiftUI.
public struct Screen<Action: Hashable & Sendable>: Hashable, Sendable {
    public let title: Phrase
    public let sections: [ScreenSection<Action>]

    public init(_ title: Phrase, _ sections: [ScreenSection<Action>?]) {
        self.title = title
        self.sections = sections.compactMap { $0 }
    }

    /// A screen that shows nothing but one thing.
    public init(_ title: Phrase, only item: ScreenItem<Action>) {
        self.init(title, [ScreenSection(.obstacle, [item])])
    }

    public subscript(part: ScreenPart) -> ScreenSection<Action>? { sections.first { $0.part == part } }
}

/// Which part of a screen a section is, for views that do not stack them.
public enum ScreenPart: String, Hashable, Sendable {
    /// What keeps the screen from working, instead of everything else.
    case obstacle
    case picture, controls, answers, comparison, tools, speed
    case sources, choice, about, units, refused, more, storage
    case settings, progress, results
    case summary, list, recordings
}

/// Items that belong together, under a heading and over a remark.
public struct ScreenSection<Action: Hashable & Sendable>: Hashable, Sendable, Identifiable {
    public let part: ScreenPart
    public let title: Phrase?
    public let items: [ScreenItem<Action>]
    public let remark: Phrase?

    public var id: ScreenPart { part }

    /// A section; items that are nil are left out.
    public init(_ part: ScreenPart, title: Phrase? = nil, _ items: [ScreenItem<Action>?], remark: Phrase? = nil) {
        self.part = part
        self.title = title
        self.items = items.compactMap { $0 }
        self.remark = remark
    }
}

/// What only a view can make; a screen says where it stands and how it is described to those who do not see it.
public enum ScreenSlot: String, Hashable, Sendable {
    case camera, annotatedPhoto, modelInput, photoLibrary, computePlan, classes, address, history, share
}

/// One line or control.
public enum ScreenItem<Action: Hashable & Sendable>: Hashable, Sendable {
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
    public struct Bar: Hashable, Sendable, Identifiable {
        public let name: String
        public let value: Double

        public var id: String { name }

        public init(name: String, value: Double) {
            self.name = name
            self.value = value
        }
    }

    /// What a button means beyond its words.
    public enum Role: Hashable, Sendable { case plain, cancel, destructive }

    case heading(Phrase)
    case text(Phrase)
    case note(Phrase)
    /// A remark with a symbol before it.
    case remark(Phrase, symbol: String, label: Phrase? = nil)
    case value(Phrase, String)
    /// A value that has words in each language.
    case labeled(Phrase, Phrase)
    /// A class, its other names, its probability from 0 to 1, and how that reads.
    case prediction(label: String, synonyms: String?, fraction: Double, reading: String)
    /// A line of a list; a tap on it does `action`.
    case row(title: String, detail: Phrase, isChosen: Bool, action: Action?)
    /// A tap does `action`, once the question `asks`, if there is one, was answered with yes.
    case button(
        Phrase, Action, symbol: String? = nil, role: Role = .plain, isEnabled: Bool = true, asks: Phrase? = nil)
    /// A switch; a tap does `action`, which carries what it changes to.
    case toggle(Phrase, isOn: Bool, Action)
    case choice(Phrase, [Option])
    case progress(Phrase, detail: Phrase? = nil)
    case unavailable(Phrase, symbol: String, detail: Phrase)
    /// What was found: a symbol and a word say the verdict, so that color need not.
    case finding(Phrase, symbol: String, name: Phrase, sentence: Phrase)
    case chart(Phrase, unit: Phrase, axis: Phrase, [Bar])
    case slot(ScreenSlot, Phrase)
}
