extension Screen {
    /// The screen as plain text, in the words of `translate`: what the tests compare.
    public func transcript(_ translate: (String) -> String) -> String {
        var lines = ["= \(title.text(translate))"]
        for section in sections {
            lines.append(section.title.map { "-- \($0.text(translate))" } ?? "--")
            lines += section.items.map { $0.transcript(translate) }
            if let remark = section.remark { lines.append("(\(remark.text(translate)))") }
        }
        return lines.joined(separator: "\n")
    }
}

extension ScreenItem {
    func transcript(_ translate: (String) -> String) -> String {
        func words(_ phrase: Phrase) -> String { phrase.text(translate) }
        switch self {
        case .heading(let phrase): return "## \(words(phrase))"
        case .text(let phrase): return words(phrase)
        case .note(let phrase): return "(\(words(phrase)))"
        case .remark(let phrase, let symbol, let label):
            return "<\(symbol)> \(label.map { "\(words($0)): " } ?? "")\(words(phrase))"
        case .value(let title, let value): return "\(words(title)): \(value)"
        case .labeled(let title, let value): return "\(words(title)): \(words(value))"
        case .prediction(let label, let synonyms, let fraction, let reading):
            let more = synonyms.map { " (\($0))" } ?? ""
            return "\(label)\(more) \(reading) \(String(repeating: "#", count: Int((fraction * 10).rounded())))"
        case .row(let title, let detail, let isChosen, let action):
            return "\(action == nil ? "" : isChosen ? "(*) " : "( ) ")\(title): \(words(detail))"
        case .button(let title, _, let symbol, let role, let isEnabled, let question):
            let mark = role == .plain ? "" : ", \(role)"
            let sign = symbol.map { "<\($0)> " } ?? ""
            let asked = question.map { " -> \(words($0))" } ?? ""
            return "[\(sign)\(words(title))\(mark)\(isEnabled ? "" : ", disabled")]\(asked)"
        case .toggle(let title, let isOn, _): return "[\(isOn ? "x" : " ")] \(words(title))"
        case .choice(let title, let options):
            let listed = options.map { "\($0.isChosen ? "(*)" : "( )") \(words($0.title))" }
            return "\(words(title)): \(listed.joined(separator: " "))"
        case .progress(let title, let detail):
            return "... \(words(title))\(detail.map { ": \(words($0))" } ?? "")"
        case .unavailable(let title, let symbol, let detail): return "<\(symbol)> \(words(title)): \(words(detail))"
        case .finding(let verdict, let symbol, let name, let sentence):
            return "<\(symbol)> \(words(verdict)): \(words(name)): \(words(sentence))"
        case .chart(let title, let unit, let axis, let bars):
            let drawn = bars.map { "\n  \($0.name): \(($0.value * 100).rounded() / 100)" }.joined()
            return "{\(words(title)); \(words(unit)); \(words(axis))}\(drawn)"
        case .slot(let slot, let description): return "{\(slot.rawValue): \(words(description))}"
        }
    }
}
