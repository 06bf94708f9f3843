import Foundation
import Testing

@testable import TinyMLCore

struct HistoryTests {
    private func run(_ date: Double) -> BenchRun {
        BenchRun(
            results: SimulatedBenchmark.results(plan: .quick), plan: .quick,
            environment: SystemFacts.environment(thermalState: nil, lowPowerMode: nil), command: "test",
            date: Date(timeIntervalSince1970: date))
    }

    @Test func runsAreKeptNewestFirstAndNoneIsOverwritten() throws {
        try Fixtures.withTemporaryFolder { folder in
            let history = BenchmarkHistory(folder: folder.appendingPathComponent("Benchmarks"))
            #expect(history.contents().entries.isEmpty)
            let (early, late) = (run(1_700_000_000), run(1_700_000_100))
            let first = try history.add(late)
            _ = try history.add(early)
            let again = try history.add(late)
            #expect(again.file != first.file)
            let entries = history.contents().entries
            #expect(entries.map(\.run.id) == [late.id, late.id, early.id])
            #expect(entries[0].models.count == 1)
            #expect(entries[0].isInvalid, "a simulated run measures no device")
            try history.remove(again.id)
            #expect(history.contents().entries.map(\.file) == [first.file, entries[2].file])
            // What lies there is what a computer imports.
            #expect(try BenchRun(contentsOf: first.file) == late)
        }
    }

    @Test func whatCannotBeReadIsToldAndOtherFilesAreSafe() throws {
        try Fixtures.withTemporaryFolder { folder in
            let history = BenchmarkHistory(folder: folder)
            try Data("{}".utf8).write(to: folder.appendingPathComponent("broken.json"))
            #expect(history.contents().refused.map(\.folder) == ["broken.json"])
            for name in ["../broken.json", "absent.json", "broken"] {
                #expect(throws: FileAccessError.absent(name: name)) { try history.remove(name) }
            }
            try history.remove("broken.json")
            #expect(history.contents().refused.isEmpty)
        }
    }

    @Test func theHistoryListsAndDeletesWhatIsMarked() throws {
        try Fixtures.withTemporaryFolder { folder in
            let history = BenchmarkHistory(folder: folder.appendingPathComponent("Benchmarks"))
            let recordings = AnswerRecordings(folder: folder.appendingPathComponent("Answers"))
            let kept = KeptFiles(history: history, recordings: recordings)
            var screen = HistoryScreen()
            kept.fill(&screen)
            #expect(screen == HistoryScreen())
            let (old, new) = (try history.add(run(1_700_000_000)), try history.add(run(1_700_000_100)))
            try Data("{}".utf8).write(to: folder.appendingPathComponent("Benchmarks/broken.json"))
            let log = try recordings.begin()
            try log.close()
            kept.fill(&screen)
            #expect(screen.runs.map(\.id) == [new.id, old.id])
            for name in [old.id, "broken.json", log.file.lastPathComponent] { screen.mark(name) }
            kept.deleteMarked(of: &screen)
            #expect((screen.problem, screen.marked, screen.refused, screen.recordings) == (nil, [], [], []))
            #expect(screen.runs.map(\.id) == [new.id])
            // Gone behind the app's back: the rest is deleted all the same, and the screen says what was not.
            let other = try history.add(run(1_700_000_200))
            kept.fill(&screen)
            screen.mark(new.id)
            screen.mark(other.id)
            try FileManager.default.removeItem(at: new.file)
            kept.deleteMarked(of: &screen)
            #expect(screen.problem == FileAccessError.absent(name: new.id).phrase)
            #expect(screen.runs.isEmpty)
        }
    }
}
