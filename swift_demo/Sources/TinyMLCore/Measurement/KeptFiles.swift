/// What the app keeps of its work: measured runs and recorded answers.
public struct KeptFiles: Sendable {
    private let history: BenchmarkHistory
    private let recordings: AnswerRecordings

    public init(history: BenchmarkHistory, recordings: AnswerRecordings) {
        self.history = history
        self.recordings = recordings
    }

    /// Lists everything anew; marks of files that are gone go with them.
    public func fill(_ screen: inout HistoryScreen) {
        (screen.runs, screen.refused) = history.contents()
        screen.recordings = recordings.contents()
        screen.marked.formIntersection(
            screen.runs.map(\.id) + screen.refused.map(\.id) + screen.recordings.map(\.id))
    }

    /// Deletes the marked files and lists the rest; the screen tells the first one that could not be deleted.
    public func deleteMarked(of screen: inout HistoryScreen) {
        screen.problem = nil
        let recorded = Set(screen.recordings.map(\.id))
        for name in screen.marked.sorted() {
            do {
                try recorded.contains(name) ? recordings.remove(name) : history.remove(name)
            } catch {
                screen.problem = screen.problem ?? Phrase(of: error)
            }
        }
        fill(&screen)
    }
}
