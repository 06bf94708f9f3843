import Foundation
import Testing

@testable import TinyMLCore

/// The content of every screen in its states and both languages: texts, order, what is offered and what is not.
struct ScreenTests {
    private let model: InstalledModel

    init() throws {
        model = try Fixtures.model()
    }

    private static let cameras = [
        CameraInfo(id: "back", name: "Back Camera", maximumZoom: 8, hasTorch: true),
        CameraInfo(id: "usb", name: "USB Camera"),
    ]

    private static let predictions = [("circle", 0.8125), ("ring", 0.125), ("square", 0.0625)].map {
        Prediction(label: $0.0, probability: $0.1)
    }

    /// As large data sets name their classes; two cranes, told from each other by their other names.
    private static let longNames = [
        ("European fire salamander, Salamandra salamandra", 0.3), ("crane", 0.2),
        ("crane, lifting device", 0.1),
        ("police van, police wagon, paddy wagon, patrol wagon, wagon, black Maria", 0.05),
        ("espresso", 0.01),
    ].map { Prediction(label: $0.0, probability: $0.1) }

    private static let reading = LiveReading(
        preprocess: .init(p50: 0.66, p95: 0.71), predict: .init(p50: 1.8, p95: 2.34),
        postprocess: .init(p50: 0.05, p95: 0.06), total: .init(p50: 2.51, p95: 3.11), framesPerSecond: 29.97,
        droppedFrames: 1234, frames: 4000)

    private static let stages: [(String, LoadStage)] = [
        ("no model", .none), ("loading", .loading),
        ("model refused", .failed(.verbatim("model.mil cannot be compiled"))),
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
            ("recording", live { $0.recordedLines = 1234 }),
            ("a recording to share", live { $0.hasRecording = true }),
            (
                "a second model that cannot be used",
                live {
                    $0.others = [model]
                    $0.beside = model.id
                    $0.besideProblem = .verbatim("model.mil cannot be compiled")
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
            ("a prediction failed", live { $0.problem = Phrase("the model gave no output named %@", "probabilities") }),
        ]
        states += [
            (
                "classes with long names",
                live {
                    $0.threshold = 0.25
                    $0.update = LiveUpdate(top: Self.longNames, reading: Self.reading)
                }
            )
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
        failed.problem = ImageError.unreadable(name: "notes.txt").phrase
        var unsure = answered
        unsure.threshold = 0.9
        var looking = answered
        looking.video = .looking(name: "clip.mov", share: 0.375)
        var seen = ready
        let told = [("circle", 0.9), ("circle", 0.8), ("ring", 0.3), ("circle", 0.7)].enumerated().map {
            VideoTimeline.Sample(
                seconds: Double($0) * 20, top: [Prediction(label: $1.0, probability: $1.1)])
        }
        seen.video = .seen(name: "clip.mov", VideoTimeline(duration: 83.5, samples: told))
        var states: [(String, PhotoScreen)] = Self.stages.map { name, stage in
            var screen = PhotoScreen()
            screen.stage = stage
            return (name, screen)
        }
        var long = ready
        long.answer = .init(
            input: input,
            classification: FrameClassification(predictions: Self.longNames, times: classification.times))
        states += [
            ("classes with long names", long),
            ("nothing chosen", ready), ("classified", answered), ("unsure", unsure), ("not an image", failed),
            ("looking at a video", looking), ("a video", seen),
        ]
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
        refused.refused = [.init(folder: "vit-coreml-w8", reason: CatalogError.missing(name: "manifest.json").phrase)]
        var imported = chosen
        imported.deletable = [model.id]
        imported.refused = refused.refused
        imported.discardable = ["vit-coreml-w8"]
        imported.address = "https://example.org/vit.zip"
        var fetching = imported
        fetching.isTakingIn = true
        imported.storage = StorageUse(imported: 2_700_000, compiled: 5_100_000, records: 120_000)
        var many = chosen
        let owner = try Fixtures.model(labels: (1...200).map { "class \($0)" }, data: "/home/me/birds")
        many.models = [owner]
        many.selection = owner.id
        var drawn = chosen
        drawn.models = [try Fixtures.model(data: "shapes")]
        let states = [
            ("200 classes of somebody’s own", many), ("drawn shapes", drawn), ("brought in", imported),
            ("nothing there", ModelsScreen()), ("one chosen", chosen),
            ("one refused", refused), ("being fetched", fetching),
        ]
        try Snapshot.expect(
            "models", language, states.map { ($0.0, $0.1.content(language.formats).transcript(language.text)) })
    }

    @Test(arguments: Language.all) func classes(code: String) throws {
        let language = try Language(code)
        let labels = ["zebra", "Arabian camel, dromedary", "abacus"]
        try Snapshot.expect(
            "classes", language,
            [("three", ClassesScreen(labels: labels).content(language.formats).transcript(language.text))])
        let many = ClassesScreen(labels: (1...200).map { "class \($0)" }).content()
        #expect(many.sections[0].items.count == 200)
    }

    @Test func whatDeletesAsksFirst() {
        var models = ModelsScreen()
        models.models = [model]
        models.selection = model.id
        models.deletable = [model.id]
        models.refused = [.init(folder: "broken", reason: "Unsure")]
        models.discardable = ["broken"]
        var history = HistoryScreen()
        history.recordings = [.init(file: URL(fileURLWithPath: "/a.csv"), bytes: 1)]
        history.mark("a.csv")
        func questions<Action>(_ screen: Screen<Action>) -> [String?] {
            screen.sections.flatMap(\.items).compactMap { item in
                if case .button(_, _, _, .destructive, _, let question) = item { question?.english } else { nil }
            }
        }
        #expect(
            questions(models.content()) == [
                "Delete \(model.title)? It cannot be brought back.", "Delete broken? It cannot be brought back.",
            ])
        #expect(questions(history.content()) == ["Delete 1 of the files? This cannot be undone."])
    }

    @Test(arguments: Language.all) func cameraInEveryShapeOfWindow(code: String) throws {
        let language = try Language(code)
        let content = live {
            $0.others = [model]
            $0.beside = model.id
        }.content(language.formats)
        let arranged = LiveArrangement.picture + LiveArrangement.answers
        #expect(content.sections.map(\.part) == arranged, "a part is shown nowhere")
        let rooms = [
            ("phone upright", 390.0, 700.0), ("phone on its side", 750, 320), ("half a tablet", 507, 954),
            ("tablet", 1180, 740), ("Mac", 900, 600), ("as wide as high", 500, 500),
        ]
        let told = rooms.map { name, width, height in
            let columns = [LiveArrangement.picture, LiveArrangement.answers].map { parts in
                parts.compactMap { content[$0] }.map { Screen(content.title, [$0]).transcript(language.text) }
                    .map { $0.components(separatedBy: "\n").dropFirst().joined(separator: "\n") }
                    .joined(separator: "\n")
            }
            let direction = LiveArrangement(width: width, height: height).direction
            return (name, columns.joined(separator: direction == .beside ? "\n| beside it:\n" : "\n| below it:\n"))
        }
        try Snapshot.expect("camera-arranged", language, told)
    }

    @Test(arguments: Language.all) func computePlan(code: String) throws {
        let language = try Language(code)
        let plan = ComputePlanSummary(operations: [
            PlannedOperation(id: 0, name: "const", device: .unknown, cost: nil),
            PlannedOperation(id: 1, name: "ios16.conv", device: .neuralEngine, cost: 0.875),
            PlannedOperation(id: 2, name: "ios16.softmax", device: .cpu, cost: nil),
        ])
        let states: [(String, ComputePlanScreen)] = [
            ("loading", .loading), ("absent", .absent), ("failed", .failed(.verbatim("no such file"))),
            ("a plan", .plan(plan)),
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
        failed.problem = CatalogError.changed(name: "densenet-coreml-int8.mlpackage").phrase
        states.append(("failed", failed))
        var canceled = ready
        let benchCase = try BenchRun(contentsOf: Fixtures.results.appendingPathComponent("v1/fixture-iphone.json"))
            .results[0].case
        canceled.run = BenchRun(
            results: [
                BenchResult(notRun: benchCase, reason: "\(BenchmarkRunner.Stop.canceled)"),
                BenchResult(
                    failed: benchCase, reason: "the driver gave up", series: [],
                    flags: ValidityFlag.allCases.map(\.rawValue) + ["contended"]),
            ], plan: .quick, environment: SystemFacts.environment(thermalState: nil, lowPowerMode: nil), command: "test"
        )
        states.append(("canceled and failed", canceled))
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
            .init(
                name: "golden image", verdict: .passed,
                sentence: Phrase(
                    "The model says %@: largest difference %@, allowed %@.", "circle", "0.001", "0.01")),
            .init(name: "channel order", verdict: .undecided, sentence: "This image cannot tell red from blue."),
            .init(name: "golden image through Vision", verdict: .failed, sentence: "The model named no class."),
        ]
        let stages: [(String, ChecksScreen.Stage)] = [
            ("idle", .idle), ("running", .running), ("findings", .findings(findings)), ("no image", .findings([])),
            ("failed", .failed(ImageError.unreadable(name: "golden.png").phrase)),
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
                ("a problem", AppAlert.problem(.verbatim("no such file: models")).screen.transcript(language.text)),
            ])
    }

    @Test func valuesGoWhereALanguageWantsThem() {
        #expect(Phrase("%@ of %@", "2", "5").text { _ in "100 % von %@: %@" } == "100 % von 2: 5")
        #expect(Phrase("%@ of %@", "2", "5").text { _ in "von %2$@ genau %1$@, 7%" } == "von 5 genau 2, 7%")
        #expect(Phrase("%@: %@", "1%@").text { $0 } == "1%@: ")
        let nested = Phrase("no picture of %@ can be read: %@", phrases: [.verbatim("a"), "few samples"])
        #expect(nested.text { $0 == "few samples" ? "wenige" : $0 } == "no picture of a can be read: wenige")
        #expect(Phrase.list(["few samples", .verbatim("x")]).text { "<\($0)>" } == "<few samples>, x")
        #expect(Phrase(of: CameraProblem.denied) == CameraProblem.denied.phrase)
        #expect(Phrase("plain").text { $0.uppercased() } == "PLAIN")
        #expect(Phrase.verbatim("50%@").text { _ in "?" } == "50%@")
    }

    @Test func everyActionIsOfferedInSomeState() {
        let live = live { $0.status.zoom = 2 }.content()
        let actions = live.sections.flatMap(\.items).compactMap { item in
            if case .button(_, let action, _, _, _, _) = item { action } else { nil }
        }
        #expect(
            actions == [
                .pause, .nextCamera, .torch(true), .zoom(2 / 1.5), .zoom(3), .takePicture, .copy, .record(true),
            ])
    }

    @Test(arguments: Language.all) func picture(code: String) throws {
        let language = try Language(code)
        let caption = PhotoCaption(Self.predictions, threshold: 0.5, model: "densenet coreml-w8")
        var drawn = PictureScreen(caption: caption, predictions: Self.predictions)
        let before = drawn
        drawn.isDrawn = true
        var failed = before
        failed.problem = ImageError.unwritable(name: "circle.png").phrase
        let unsure = PictureScreen(
            caption: PhotoCaption(Self.predictions, threshold: 0.9, model: "densenet coreml-w8"),
            predictions: Self.predictions)
        let states = [("before it is drawn", before), ("drawn", drawn), ("not drawn", failed), ("unsure", unsure)]
        try Snapshot.expect(
            "picture", language, states.map { ($0.0, $0.1.content(language.formats).transcript(language.text)) })
    }

    @Test(arguments: Language.all) func history(code: String) throws {
        let language = try Language(code)
        func entry(_ name: String) throws -> BenchmarkHistory.Entry {
            let file = Fixtures.results.appendingPathComponent("v1/\(name).json")
            return .init(file: file, run: try BenchRun(contentsOf: file))
        }
        var filled = HistoryScreen()
        filled.runs = [try entry("fixture-iphone"), try entry("fixture-macos")]
        filled.recordings = [
            .init(file: URL(fileURLWithPath: "/answers-20261123T170509Z.csv"), bytes: 123_456)
        ]
        filled.refused = [
            .init(folder: "broken.json", reason: SchemaError.notJSON(file: "broken.json").phrase)
        ]
        var compared = filled
        compared.mark("fixture-iphone.json")
        compared.mark("fixture-macos.json")
        var alike = filled
        alike.runs = [
            try entry("fixture-iphone"), .init(file: URL(fileURLWithPath: "/b.json"), run: filled.runs[0].run),
        ]
        alike.mark("fixture-iphone.json")
        alike.mark("b.json")
        var failed = HistoryScreen()
        failed.problem = FileAccessError.absent(name: "gone.json").phrase
        let states = [
            ("nothing kept", HistoryScreen()), ("nothing marked", filled), ("two that differ", compared),
            ("two alike", alike), ("could not be deleted", failed),
        ]
        try Snapshot.expect(
            "history", language, states.map { ($0.0, $0.1.content(language.formats).transcript(language.text)) })
    }

    @Test func marksComeAndGoAndOnlyWhatIsMarkedIsShared() throws {
        var screen = HistoryScreen()
        screen.recordings = ["a.csv", "b.csv"].map { .init(file: URL(fileURLWithPath: "/\($0)"), bytes: 1) }
        #expect(screen.sharedFiles.isEmpty)
        screen.mark("b.csv")
        #expect(screen.sharedFiles.map(\.lastPathComponent) == ["b.csv"])
        screen.mark("b.csv")
        #expect(screen.marked.isEmpty)
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
