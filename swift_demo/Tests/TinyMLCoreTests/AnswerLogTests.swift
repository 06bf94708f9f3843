import Foundation
import Testing

@testable import TinyMLCore

struct AnswerLogTests {
    private func frame(_ probabilities: [String: Double]) -> FrameClassification {
        FrameClassification(
            predictions: probabilities.map { Prediction(label: $0.key, probability: $0.value) }.top(.max),
            times: StageTimes(preprocess: 0, predict: 2_000_000, postprocess: 0))
    }

    @Test func everyLineIsInTheFileBeforeItIsClosed() throws {
        try Fixtures.withTemporaryFolder { folder in
            let log = try AnswerLog(
                folder: folder.appendingPathComponent("Answers"), date: Date(timeIntervalSince1970: 0))
            #expect(log.file.lastPathComponent == "answers-19700101T000000Z.csv")
            var alone = LiveReporter(smoothing: 0)
            let one = alone.frame(arrival: 5_000_000_000, frame(["fox, red": 0.75, "b": 0.25]))
            try log.add(
                try #require(one), model: "net \"w8\"", second: nil, threshold: 0.5, at: 5_000_000_000)
            var both = LiveReporter(smoothing: 0)
            let two = both.frame(arrival: 6_500_000_000, frame(["a": 0.4, "b": 0.3]), other: frame(["b": 1]))
            try log.add(try #require(two), model: "one", second: "two", threshold: 0.5, at: 6_500_000_000)
            let text = try String(contentsOf: log.file, encoding: .utf8)
            #expect(
                text == AnswerLog.heading + "\n"
                    + "0.000,\"net \"\"w8\"\"\",\"fox, red\",0.750000,1,2.000,,0,,,,,\n"
                    + "1.500,one,a,0.400000,0,2.000,,0,two,b,1.000000,2.000,0\n")
            #expect(log.lines == 2)
            try log.close()
            #expect(throws: (any Error).self) {
                try log.add(try #require(two), model: "one", second: nil, threshold: 0.5, at: 0)
            }
        }
    }

    @Test func everyLineHasAsManyFieldsAsTheHeading() throws {
        #expect(AnswerLog.heading.split(separator: ",").count == 13)
    }
}
