import Foundation

/// The history: every run that was measured here and every recording, two runs side by side, and what is no longer
/// wanted deleted.
public struct HistoryScreen: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        /// Marks a file, or takes its mark away.
        case mark(String)
        case saveMarked
        case deleteMarked
    }

    public var runs: [BenchmarkHistory.Entry] = []
    public var refused: [ModelCatalog.Refusal] = []
    public var recordings: [AnswerRecordings.Recording] = []
    /// The names of the marked files.
    public var marked: Set<String> = []
    public var problem: Phrase?

    public init() {}

    /// Marks a file, or takes its mark away.
    public mutating func mark(_ name: String) {
        if marked.remove(name) == nil { marked.insert(name) }
    }

    /// The marked files that can be shared, newest first: runs, then recordings.
    public var sharedFiles: [URL] {
        runs.filter { marked.contains($0.id) }.map(\.file) + recordings.filter { marked.contains($0.id) }.map(\.file)
    }

    public func content(_ formats: Formats = Formats()) -> Screen<Action> {
        let told = problem.map {
            ScreenSection<Action>(.progress, [.remark($0, symbol: "exclamationmark.triangle")])
        }
        if runs.isEmpty, refused.isEmpty, recordings.isEmpty {
            return Screen(
                "History",
                only: .unavailable(
                    "Nothing is kept yet", symbol: "clock",
                    detail: problem ?? "Measure a model, or record the camera’s answers."))
        }
        return Screen(
            "History",
            [told, runList(formats), recordingList(formats), refusedList, comparison(formats), tools(formats)])
    }

    private func runList(_ formats: Formats) -> ScreenSection<Action>? {
        let rows = runs.map { entry -> ScreenItem<Action> in
            let environment = entry.run.environment
            var facts = entry.models.map(Phrase.verbatim)
            facts.append(.verbatim("\(environment.machine) \(environment.os.rawValue) \(environment.osVersion)"))
            if entry.run.quick { facts.append("first look") }
            if entry.isInvalid { facts.append("not valid as a measurement") }
            return .row(
                title: formats.moment(entry.run.provenance.createdAt), detail: .list(facts),
                isChosen: marked.contains(entry.id), action: .mark(entry.id))
        }
        return rows.isEmpty
            ? nil : ScreenSection(.list, title: "Runs", rows, remark: "Mark two runs to compare them.")
    }

    private func recordingList(_ formats: Formats) -> ScreenSection<Action>? {
        let rows = recordings.map { recording -> ScreenItem<Action> in
            .row(
                title: recording.id, detail: .verbatim(formats.megabytes(recording.bytes)),
                isChosen: marked.contains(recording.id), action: .mark(recording.id))
        }
        return rows.isEmpty ? nil : ScreenSection(.recordings, title: "Recorded answers", rows)
    }

    private var refusedList: ScreenSection<Action>? {
        let rows = refused.map { refusal -> ScreenItem<Action> in
            .row(
                title: refusal.folder, detail: refusal.reason, isChosen: marked.contains(refusal.id),
                action: .mark(refusal.id))
        }
        return rows.isEmpty ? nil : ScreenSection(.refused, title: "Cannot be read", rows)
    }

    /// The two marked runs, the older one first.
    private func comparison(_ formats: Formats) -> ScreenSection<Action>? {
        let chosen = runs.filter { marked.contains($0.id) }
        guard chosen.count == 2 else { return nil }
        let comparison = RunComparison(chosen[1].run, chosen[0].run)
        var items: [ScreenItem<Action>] = comparison.differences.map {
            .remark($0, symbol: "exclamationmark.triangle")
        }
        for row in comparison.rows {
            let medians = [row.first, row.second].map(formats.milliseconds).joined(separator: " → ")
            items.append(.value(.verbatim(row.name), "\(medians), × \(formats.ratio(row.ratio))"))
            if !row.doubts.isEmpty {
                items.append(.remark(ValidityFlag.titles(of: row.doubts), symbol: "flag", label: "Flags"))
            }
        }
        if comparison.rows.isEmpty { items.append(.text("No case has a latency in both runs.")) }
        return ScreenSection(
            .comparison, title: "Median latency, before and after", items,
            remark: "Where something is flagged or differs, the ratio is no verdict.")
    }

    private func tools(_ formats: Formats) -> ScreenSection<Action> {
        ScreenSection(
            .tools,
            [
                sharedFiles.isEmpty ? nil : .slot(.share, "Share the marked files"),
                sharedFiles.count == 1
                    ? .button("Save the marked file", .saveMarked, symbol: "square.and.arrow.down") : nil,
                .button(
                    "Delete the marked files", .deleteMarked, symbol: "trash", role: .destructive,
                    isEnabled: !marked.isEmpty,
                    asks: marked.isEmpty
                        ? nil : Phrase("Delete %@ of the files? This cannot be undone.", formats.count(marked.count))),
            ])
    }
}
