import Foundation
import Testing

@testable import TinyMLCore

/// The photo screen's course, with files and models that only pretend.
@MainActor
struct PhotoFlowTests {
    /// Says of each image what it is called and the value of its first byte.
    private final class Model: FrameClassifier {
        typealias Frame = Int
        private let name: String
        private let gate: Gate?

        init(_ name: String, gate: Gate? = nil) {
            self.name = name
            self.gate = gate
        }

        func classify(_ frame: Int) -> FrameClassification {
            FrameClassification(
                predictions: [Prediction(label: "\(name) \(frame)", probability: 1)],
                times: StageTimes(preprocess: 0, predict: 0, postprocess: 0))
        }

        func classify(_ image: RGBImage, orientation: ImageOrientation) throws -> FrameClassification {
            gate?.wait()
            if image.bytes[0] == 99 { throw ImageError.unreadable(name: "model") }
            return classify(Int(image.bytes[0]))
        }

        func input(of image: RGBImage, orientation: ImageOrientation) -> RGBImage { image }
        func predictions(for image: RGBImage) -> [Prediction] { classify(0).predictions }
    }

    private struct Video: VideoSource {
        let content: Int
        func duration() async throws -> Double { Double(content) }
        func picture(at seconds: Double) async throws -> RGBImage { try Files.image(seconds < 1 ? 1 : 2).image }
    }

    /// The content of a file is its name's number; "slow" ones wait.
    private struct Files: PhotoFiles {
        var gate: Gate?
        var canShare = true

        static func image(_ value: Int) throws -> StoredImage {
            StoredImage(
                image: try RGBImage(width: 1, height: 2, bytes: [UInt8](repeating: UInt8(value), count: 6)),
                orientation: .right)
        }

        func isVideo(_ file: URL) -> Bool { file.pathExtension == "mov" }

        func image(at file: URL) throws -> StoredImage {
            let name = file.deletingPathExtension().lastPathComponent
            if name.hasPrefix("slow") { gate?.wait() }
            guard let value = Int(name.filter(\.isNumber)) else {
                throw ImageError.unreadable(name: file.lastPathComponent)
            }
            return try Self.image(value)
        }

        func image(_ data: Data, name: String) throws -> StoredImage {
            guard let value = data.first else { throw ImageError.unreadable(name: name) }
            return try Self.image(Int(value))
        }

        func video(_ file: URL) -> any VideoSource {
            Video(content: Int(file.lastPathComponent.filter(\.isNumber)) ?? 0)
        }

        func accessing<Value: Sendable>(
            _ file: URL, _ work: @escaping @Sendable () async throws -> Value
        ) async throws -> Value { try await work() }

        func share(_ content: Data, name: String) throws -> URL {
            guard canShare else { throw ImageError.unwritable(name: name) }
            return URL(fileURLWithPath: "/shared/\(name)")
        }
    }

    private func file(_ name: String) -> URL { URL(fileURLWithPath: "/\(name)") }

    private func said(_ flow: PhotoFlow<Int>) -> String? { flow.answer?.classification.top.first?.label }

    @Test func aPhotoIsAskedAboutOnceAModelIsThereAndAgainWithAnother() async {
        let flow = PhotoFlow<Int>(files: Files())
        await flow.open(file("7.png"))
        #expect((said(flow), flow.problem) == (nil, nil))
        await flow.use(Model("a"))
        #expect(said(flow) == "a 7")
        await flow.use(Model("b"))
        #expect(said(flow) == "b 7")
        await flow.use(nil)
        await flow.open(Data([3]))
        #expect(said(flow) == nil)
        await flow.use(Model("c"))
        #expect(said(flow) == "c 3")
        let screen = flow.screen(stage: .ready, threshold: 0.75)
        #expect((screen.stage, screen.threshold, screen.answer) == (.ready, 0.75, flow.answer))
    }

    @Test func whatCannotBeReadOrClassifiedIsToldUntilSomethingElseIsOpened() async {
        let flow = PhotoFlow<Int>(files: Files())
        await flow.use(Model("a"))
        await flow.open(file("notes.txt"))
        #expect(flow.problem == ImageError.unreadable(name: "notes.txt").phrase)
        await flow.open(Data())
        #expect(flow.problem == ImageError.unreadable(name: "photo").phrase)
        await flow.open(file("99.png"))
        #expect((said(flow), flow.problem) == (nil, ImageError.unreadable(name: "model").phrase))
        await flow.open(file("5.png"))
        #expect((said(flow), flow.problem) == ("a 5", nil))
        flow.fail(FileAccessError.absent(name: "x"))
        #expect(flow.problem == FileAccessError.absent(name: "x").phrase)
    }

    @Test func anEarlierFileThatTakesLongerIsDropped() async {
        let gate = Gate()
        let flow = PhotoFlow<Int>(files: Files(gate: gate))
        await flow.use(Model("a"))
        // One queue reads them in their order, so the second has to wait; the first is dropped all the same.
        let slow = Task { await flow.open(file("slow1.png")) }
        await Task.yield()
        let quick = Task { await flow.open(file("2.png")) }
        await Task.yield()
        gate.open()
        await slow.value
        await quick.value
        #expect(said(flow) == "a 2")
    }

    @Test func anEarlierModelThatTakesLongerIsDropped() async {
        let gate = Gate()
        let flow = PhotoFlow<Int>(files: Files())
        await flow.open(file("4.png"))
        let slow = Task { await flow.use(Model("slow", gate: gate)) }
        await Task.yield()
        let quick = Task { await flow.use(Model("quick")) }
        await Task.yield()
        gate.open()
        await slow.value
        await quick.value
        #expect(said(flow) == "quick 4")
    }

    @Test func aVideoIsToldByStretchesWithATable() async throws {
        let flow = PhotoFlow<Int>(files: Files())
        await flow.open(file("2.mov"))
        #expect((flow.video, flow.problem) == (nil, "No model chosen"))
        await flow.use(Model("a"))
        await flow.open(file("2.mov"))
        #expect(flow.problem == nil)
        await flow.settle()
        guard case .seen(let name, let timeline) = flow.video else {
            Issue.record("the video was not seen: \(String(describing: flow.video))")
            return
        }
        #expect((name, timeline.samples.count) == ("2.mov", 8))
        let table = try #require(flow.table)
        #expect((table.file.lastPathComponent, table.content) == ("2.csv", Data(timeline.table.utf8)))
    }

    @Test func aVideoThatIsStoppedOrReplacedLeavesNothing() async {
        let gate = Gate()
        let flow = PhotoFlow<Int>(files: Files())
        await flow.use(Model("a", gate: gate))
        await flow.open(file("4.mov"))
        #expect(flow.video == .looking(name: "4.mov", share: 0))
        flow.stopVideo()
        gate.open()
        await flow.settle()
        #expect((flow.video, flow.table, flow.problem) == (nil, nil, nil))
        await flow.open(file("4.mov"))
        gate.open()
        gate.open()
        await flow.use(Model("b"))
        await flow.open(file("6.png"))
        await flow.settle()
        #expect((flow.video, flow.table, said(flow)) == (nil, nil, "b 6"))
    }

    @Test func aVideoThatFailsSaysWhy() async {
        let flow = PhotoFlow<Int>(files: Files(canShare: false))
        await flow.use(Model("a"))
        await flow.open(file("0.mov"))
        await flow.settle()
        #expect((flow.video, flow.problem) == (nil, VideoError.empty(name: "0.mov").phrase))
        await flow.open(file("1.mov"))
        await flow.settle()
        #expect((flow.video, flow.problem) == (nil, ImageError.unwritable(name: "1.csv").phrase))
    }

    @Test func aPhotoIsAnnotatedUpright() async {
        let flow = PhotoFlow<Int>(files: Files())
        await flow.annotate()
        #expect(flow.annotated == nil)
        await flow.use(Model("a"))
        await flow.open(file("7.png"))
        await flow.annotate()
        #expect((flow.annotated?.image.width, flow.annotated?.image.height) == (2, 1))
        #expect(flow.annotated?.predictions.first?.label == "a 7")
    }
}
