import Foundation
import Testing

@testable import TinyMLCore

/// The content of every screen in its states and both languages: texts, order, what is offered and what is not.
struct ScreenTests {
    private let model: InstalledModel

    init() throws {
        model = try InstalledModel(
            folder: Fixtures.own.appendingPathComponent("../../App/Models/densenet-coreml-int8").standardized)
    }

    private static let cameras = [
        CameraInfo(id: "back", name: "Back Camera", maximumZoom: 8, hasTorch: true),
        CameraInfo(id: "usb", name: "USB Camera"),
    ]

    private static let predictions = [("circle", 0.8125), ("ring", 0.125), ("square", 0.0625)].map {
        Prediction(label: $0.0, probability: $0.1)
    }

    private static let reading = LiveReading(
        preprocess: .init(p50: 0.66, p95: 0.71), predict: .init(p50: 1.8, p95: 2.34),
        postprocess: .init(p50: 0.05, p95: 0.06), total: .init(p50: 2.51, p95: 3.11), framesPerSecond: 29.97,
        droppedFrames: 1234, frames: 4000)

    private static let stages: [(String, LoadStage)] = [
        ("no model", .none), ("loading", .loading), ("model refused", .failed("model.mil cannot be compiled")),
    ]

    private func live(_ change: (inout LiveScreen) -> Void) -> LiveScreen {
        var screen = LiveScreen()
        screen.stage = .ready
        screen.status.phase = .running
        screen.status.cameras = Self.cameras
        screen.status.camera = Self.cameras[0]
        screen.update = LiveUpdate(top: Self.predictions, reading: Self.reading)
        screen.canOpenSettings = true
        change(&screen)
        return screen
    }

    @Test(arguments: Language.all) func camera(code: String) throws {
        let language = try Language(code)
        var states = Self.stages.map { name, stage in (name, live { $0.stage = stage }) }
        states += [
            ("before the first frame", live { $0.update = nil }),
            ("sure", live { _ in }),
            ("unsure", live { $0.threshold = 0.9 }),
            (
                "one camera that can do nothing",
                live {
                    $0.status.cameras = [Self.cameras[1]]
                    $0.status.camera = Self.cameras[1]
                }
            ),
            (
                "light on, zoomed as far as it goes",
                live {
                    $0.status.isTorchOn = true
                    $0.status.zoom = 8
                }
            ),
            ("another threshold", live { $0.threshold = 0.6 }),
            (
                "two models, before the second is loaded",
                live {
                    $0.others = [model]
                    $0.beside = model.id
                }
            ),
            (
                "two models",
                live {
                    $0.others = [model]
                    $0.beside = model.id
                    let agreement = Agreement(
                        frames: 120, sameClass: 0.975, meanDifference: 0.031, first: .init(p50: 1.8, p95: 2.34),
                        second: .init(p50: 0.9, p95: 1.2))
                    $0.update = LiveUpdate(
                        top: Self.predictions, reading: Self.reading,
                        other: SecondAnswer(top: Self.predictions, agreement: agreement))
                }
            ),
            (
                "a second model that cannot be used",
                live {
                    $0.others = [model]
                    $0.beside = model.id
                    $0.besideProblem = "model.mil cannot be compiled"
                }
            ),
            ("paused", live { $0.status.phase = .paused }),
            ("interrupted", live { $0.status.phase = .interrupted }),
            ("not allowed", live { $0.status.phase = .failed(.denied) }),
            (
                "not allowed on a Mac",
                live {
                    $0.status.phase = .failed(.denied)
                    $0.canOpenSettings = false
                }
            ),
            ("no camera", live { $0.status.phase = .failed(.noCamera) }),
            ("the session failed", live { $0.status.phase = .failed(.session("Cannot Record")) }),
            ("a prediction failed", live { $0.problem = "the model gave no output named probabilities" }),
        ]
        try Snapshot.expect(
            "camera", language, states.map { ($0.0, $0.1.content(language.formats).transcript(language.text)) })
    }

    @Test(arguments: Language.all) func photo(code: String) throws {
        let language = try Language(code)
        let input = try RGBImage(width: 64, height: 64, bytes: [UInt8](repeating: 0, count: 64 * 64 * 3))
        let classification = FrameClassification(
            predictions: Self.predictions, times: StageTimes(preprocess: 1, predict: 1_812_000, postprocess: 1))
        var ready = PhotoScreen()
        ready.stage = .ready
        var answered = ready
        answered.answer = .init(input: input, classification: classification)
        var failed = answered
        failed.problem = "notes.txt cannot be read as an image"
        var states: [(String, PhotoScreen)] = Self.stages.map { name, stage in
            var screen = PhotoScreen()
            screen.stage = stage
            return (name, screen)
        }
        states += [("nothing chosen", ready), ("classified", answered), ("not an image", failed)]
        try Snapshot.expect(
            "photo", language, states.map { ($0.0, $0.1.content(language.formats).transcript(language.text)) })
    }

    @Test(arguments: Language.all) func models(code: String) throws {
        let language = try Language(code)
        var chosen = ModelsScreen()
        chosen.models = [model]
        chosen.selection = model.id
        var refused = chosen
        refused.selection = nil
        refused.units = .cpuOnly
        refused.refused = [.init(folder: "vit-coreml-w8", reason: "\(CatalogError.missing(name: "manifest.json"))")]
        var imported = chosen
        imported.deletable = [model.id]
        imported.refused = refused.refused
        imported.discardable = ["vit-coreml-w8"]
        imported.storage = StorageUse(imported: 2_700_000, compiled: 5_100_000, records: 120_000)
        let states = [
            ("brought in", imported), ("nothing there", ModelsScreen()), ("one chosen", chosen),
            ("one refused", refused),
        ]
        try Snapshot.expect(
            "models", language, states.map { ($0.0, $0.1.content(language.formats).transcript(language.text)) })
    }

    @Test(arguments: Language.all) func computePlan(code: String) throws {
        let language = try Language(code)
        let plan = ComputePlanSummary(operations: [
            PlannedOperation(id: 0, name: "const", device: .unknown, cost: nil),
            PlannedOperation(id: 1, name: "ios16.conv", device: .neuralEngine, cost: 0.875),
            PlannedOperation(id: 2, name: "ios16.softmax", device: .cpu, cost: nil),
        ])
        let states: [(String, ComputePlanScreen)] = [
            ("loading", .loading), ("absent", .absent), ("failed", .failed("no such file")), ("a plan", .plan(plan)),
        ]
        try Snapshot.expect(
            "compute-plan", language,
            states.map { ($0.0, $0.1.content(language.formats).transcript(language.text)) })
    }

    @Test(arguments: Language.all) func benchmark(code: String) throws {
        let language = try Language(code)
        var ready = BenchmarkScreen()
        ready.hasModel = true
        var nothing = ready
        nothing.units = []
        var states = [("no model", BenchmarkScreen()), ("ready", ready), ("no units", nothing)]
        var running = ready
        running.begin()
        states.append(("begins", running))
        let phases: [BenchmarkPhase] = [
            .cooling(secondsLeft: 118), .loading(.all), .warmingUp(.cpuOnly), .burst(.cpuAndGPU, round: 2, of: 5),
            .paced(.cpuAndNeuralEngine, second: 17, of: 60), .finished,
        ]
        for phase in phases {
            running.phase = phase
            states.append(("\(phase)".components(separatedBy: "(")[0], running))
        }
        var failed = running
        failed.end()
        failed.problem = "densenet-coreml-int8.mlpackage differs from its manifest’s checksum"
        states.append(("failed", failed))
        for name in ["fixture-iphone", "fixture-macos"] {
            var done = ready
            done.run = try BenchRun(contentsOf: Fixtures.results.appendingPathComponent("v1/\(name).json"))
            states.append((name, done))
        }
        try Snapshot.expect(
            "benchmark", language, states.map { ($0.0, $0.1.content(language.formats).transcript(language.text)) })
    }

    @Test(arguments: Language.all) func checks(code: String) throws {
        let language = try Language(code)
        let findings: [SelfTest.Finding] = [
            .init(name: "golden image", verdict: .passed, sentence: "The model says circle: largest difference 0.001."),
            .init(name: "channel order", verdict: .undecided, sentence: "This image cannot tell red from blue."),
            .init(name: "golden image through Vision", verdict: .failed, sentence: "The model says ring."),
        ]
        let stages: [(String, ChecksScreen.Stage)] = [
            ("idle", .idle), ("running", .running), ("findings", .findings(findings)), ("no image", .findings([])),
            ("failed", .failed("golden.png cannot be read as an image")),
        ]
        var states = [("no model", ChecksScreen())]
        for (name, stage) in stages {
            var screen = ChecksScreen()
            screen.hasModel = true
            screen.stage = stage
            states.append((name, screen))
        }
        try Snapshot.expect(
            "checks", language, states.map { ($0.0, $0.1.content(language.formats).transcript(language.text)) })
    }

    @Test(arguments: Language.all) func tabsAndAlerts(code: String) throws {
        let language = try Language(code)
        let tabs = AppTab.allCases.map { "<\($0.symbol)> \($0.title.text(language.text))" }
        let crash = LoadBreadcrumb.Content(artifactSHA256: "abc", name: "vit coreml-w8", units: .all)
        try Snapshot.expect(
            "app", language,
            [
                ("tabs", tabs.joined(separator: "\n")),
                ("crashed", AppAlert.crashed(crash).screen.transcript(language.text)),
                ("a problem", AppAlert.problem("no such file: models").screen.transcript(language.text)),
            ])
    }

    @Test func valuesGoWhereALanguageWantsThem() {
        #expect(Phrase("%@ of %@", "2", "5").text { _ in "100 % von %@: %@" } == "100 % von 2: 5")
        #expect(Phrase("plain").text { $0.uppercased() } == "PLAIN")
        #expect(Phrase.verbatim("50%@").text { _ in "?" } == "50%@")
    }

    @Test func everyActionIsOfferedInSomeState() {
        let live = live { $0.status.zoom = 2 }.content()
        let actions = live.sections.flatMap(\.items).compactMap { item in
            if case .button(_, let action, _, _, _) = item { action } else { nil }
        }
        #expect(actions == [.pause, .nextCamera, .torch(true), .zoom(2 / 1.5), .zoom(3)])
    }

    @Test func theSimulatorBeginsOnTheCPU() throws {
        #expect(Units.initial(isSimulator: true) == .cpuOnly)
        #expect(Units.initial(isSimulator: false) == .all)
        try Fixtures.withTemporaryFolder { folder in
            let file = ChoiceFile(folder: folder)
            #expect(file.read(isSimulator: true).units == .cpuOnly)
            try file.write(Choices(units: .all))
            #expect(file.read(isSimulator: true).units == .all)
        }
    }
}
