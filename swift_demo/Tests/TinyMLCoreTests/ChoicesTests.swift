import Foundation
import Testing

@testable import TinyMLCore

struct ChoicesTests {
    private let model: InstalledModel

    init() throws {
        model = try Fixtures.model()
    }

    @Test func choicesComeBackAtTheNextLaunch() throws {
        try Fixtures.withTemporaryFolder { folder in
            let file = ChoiceFile(folder: folder.appendingPathComponent("new"))
            #expect(file.read() == Choices())
            let chosen = Choices(model: "a", beside: "b", units: .cpuAndGPU, threshold: 0.8)
            try file.write(chosen)
            #expect(file.read() == chosen)
        }
    }

    @Test(arguments: [
        ("", Choices()), ("[]", Choices()), ("{}", Choices()),
        (#"{"model": 3, "units": "cuda", "threshold": "high"}"#, Choices()),
        (#"{"model": "a", "units": "quantum", "threshold": 7, "later": true}"#, Choices(model: "a", threshold: 1)),
        (#"{"units": "cpu_only", "threshold": -1}"#, Choices(units: .cpuOnly, threshold: 0)),
    ])
    func whatMeansNothingBecomesTheUsual(text: String, expected: Choices) throws {
        try Fixtures.withTemporaryFolder { folder in
            try Data(text.utf8).write(to: folder.appendingPathComponent("choices.json"))
            #expect(ChoiceFile(folder: folder).read() == expected)
        }
    }

    @Test func aModelThatIsGoneIsNotChosen() {
        #expect(Choices(model: "gone").selection(among: [model]) == model.id)
        #expect(Choices(model: "gone").selection(among: []) == nil)
        #expect(Choices(model: model.id).selection(among: [model]) == model.id)
    }

    @Test func aModelIsNotComparedWithItself() {
        #expect(Choices(beside: model.id).comparison(among: [model], with: model.id) == nil)
        #expect(Choices(beside: model.id).comparison(among: [model], with: "other") == model)
        #expect(Choices(beside: "gone").comparison(among: [model], with: "other") == nil)
        #expect(Choices(threshold: .nan).threshold == 0.5)
    }
}
