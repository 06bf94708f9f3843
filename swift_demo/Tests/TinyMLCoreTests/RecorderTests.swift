import Foundation
import Testing

@testable import TinyMLCore

struct RecorderTests {
    private let update = LiveUpdate(
        top: [Prediction(label: "a", probability: 0.75)],
        reading: LiveReading(
            preprocess: .init(p50: 1, p95: 1), predict: .init(p50: 1, p95: 1), postprocess: .init(p50: 1, p95: 1),
            total: .init(p50: 3, p95: 3), framesPerSecond: 30, droppedFrames: 0, frames: 1))

    private func take(_ recorder: AnswerRecorder) throws {
        try recorder.take(update, model: "net w8", second: nil, threshold: 0.5)
    }

    @Test func answersAreRecordedWhileItIsWanted() throws {
        try Fixtures.withTemporaryFolder { folder in
            let recordings = AnswerRecordings(folder: folder.appendingPathComponent("Answers"))
            let recorder = AnswerRecorder(recordings)
            try take(recorder)
            #expect(recorder.lines == nil)
            #expect(recordings.contents().isEmpty)
            try recorder.begin()
            try take(recorder)
            try recorder.begin()
            try take(recorder)
            #expect(recorder.lines == 2)
            try recorder.end()
            #expect(recorder.lines == nil)
            let file = try #require(recorder.finished)
            #expect(try String(contentsOf: file, encoding: .utf8).split(separator: "\n").count == 3)
            #expect(recordings.contents().map(\.file.lastPathComponent) == [file.lastPathComponent])
            #expect(recordings.contents()[0].bytes > 100)
            try recordings.remove(file.lastPathComponent)
            #expect(recordings.contents().isEmpty)
        }
    }

    @Test func aRecordingOfNothingLeavesNothingAndNoneIsOverwritten() throws {
        try Fixtures.withTemporaryFolder { folder in
            let recordings = AnswerRecordings(folder: folder)
            let recorder = AnswerRecorder(recordings)
            try recorder.begin()
            try recorder.end()
            #expect(recorder.finished == nil)
            #expect(recordings.contents().isEmpty)
            let moment = Date(timeIntervalSince1970: 1_700_000_000)
            let first = try AnswerLog(folder: folder, date: moment)
            let second = try AnswerLog(folder: folder, date: moment)
            #expect(first.file.lastPathComponent == "answers-20231114T221320Z.csv")
            #expect(second.file.lastPathComponent == "answers-20231114T221320Z-2.csv")
        }
    }

    @Test func onlyRecordingsAreDeleted() throws {
        try Fixtures.withTemporaryFolder { folder in
            try Data().write(to: folder.appendingPathComponent("notes.txt"))
            let recordings = AnswerRecordings(folder: folder)
            for name in ["notes.txt", "../a.csv", "absent.csv"] {
                #expect(throws: FileAccessError.absent(name: name)) { try recordings.remove(name) }
            }
        }
    }
}
