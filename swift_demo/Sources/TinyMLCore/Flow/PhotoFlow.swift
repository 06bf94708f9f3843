import Foundation
import Observation

/// The photo screen's course: one image or video, what the model sees of it, and what it says.
///
/// The newest wish counts. What an earlier file or an earlier model brings once a later one was chosen is dropped.
@MainActor
@Observable
public final class PhotoFlow<Frame> {
    /// What a video says, as a file to share and as its content.
    public struct Table: Hashable, Sendable {
        public let file: URL
        public let content: Data
    }

    public private(set) var answer: PhotoScreen.Answer?
    public private(set) var video: PhotoScreen.Video?
    public private(set) var problem: Phrase?
    public private(set) var table: Table?
    /// The photo upright, with its answer, to be drawn with it; set to nil once it was looked at.
    public var annotated: CapturedPhoto?
    @ObservationIgnored private var photo: StoredImage?
    @ObservationIgnored private var classifier: (any FrameClassifier<Frame>)?
    @ObservationIgnored private var looking: Task<Void, Never>?
    @ObservationIgnored private var wish = 0
    @ObservationIgnored private let files: any PhotoFiles
    @ObservationIgnored private let queue = WorkQueue(label: "TinyMLDemo.photos")

    public init(files: any PhotoFiles) {
        self.files = files
    }

    /// Takes another model, nil while none is ready, and asks it about the photo that is there.
    public func use(_ classifier: (any FrameClassifier<Frame>)?) async {
        self.classifier = classifier
        await classify()
    }

    /// Reads and classifies a file of the user's: an image or a video.
    public func open(_ file: URL) async {
        if files.isVideo(file) {
            look(at: file)
        } else {
            await read { [files] in try files.image(at: file) }
        }
    }

    /// Reads and classifies the bytes of an image.
    public func open(_ data: Data) async {
        await read { [files] in try files.image(data, name: "photo") }
    }

    /// Tells that an image could not be fetched.
    public func fail(_ error: any Error) { problem = Phrase(of: error) }

    /// Makes the photo ready to be drawn with its answer.
    public func annotate() async {
        guard let photo, let answer else { return }
        let asked = wish
        do {
            let upright = try await queue.run { try photo.image.withSource { $0.oriented(photo.orientation).image() } }
            guard asked == wish else { return }
            annotated = CapturedPhoto(image: upright, predictions: answer.classification.predictions)
        } catch {
            if asked == wish { fail(error) }
        }
    }

    /// Ends looking at a video.
    public func stopVideo() {
        wish += 1
        looking?.cancel()
        video = nil
    }

    /// What the screen shows.
    public func screen(stage: LoadStage, threshold: Double) -> PhotoScreen {
        var screen = PhotoScreen()
        screen.stage = stage
        screen.answer = answer
        screen.video = video
        screen.problem = problem
        screen.threshold = threshold
        return screen
    }

    /// Returns once no video is looked at any more.
    func settle() async { await looking?.value }

    private func read(_ work: @escaping @Sendable () throws -> StoredImage) async {
        forget()
        let asked = wish
        do {
            let found = try await queue.run(work)
            guard asked == wish else { return }
            photo = found
            await classify()
        } catch {
            if asked == wish { fail(error) }
        }
    }

    /// Asks the model about the photo, where there are both.
    private func classify() async {
        guard let photo, let classifier else { return }
        wish += 1
        let asked = wish
        do {
            let found = try await queue.run {
                PhotoScreen.Answer(
                    input: try classifier.input(of: photo.image, orientation: photo.orientation),
                    classification: try classifier.classify(photo.image, orientation: photo.orientation))
            }
            guard asked == wish else { return }
            answer = found
            problem = nil
        } catch {
            if asked == wish { fail(error) }
        }
    }

    private func look(at file: URL) {
        forget()
        guard let classifier else { return problem = Phrase("No model chosen") }
        let (asked, name) = (wish, file.lastPathComponent)
        video = .looking(name: name, share: 0)
        looking = Task { [files, queue] in
            do {
                let timeline = try await files.accessing(file) {
                    let analysis = VideoAnalysis(name: name, source: files.video(file)) { picture in
                        try await queue.run { try classifier.classify(picture, orientation: .up) }
                    }
                    return try await analysis.run { await self.tell(name, $0, asked) }
                }
                guard asked == wish else { return }
                let content = Data(timeline.table.utf8)
                let stem = file.deletingPathExtension().lastPathComponent
                table = Table(file: try files.share(content, name: "\(stem).csv"), content: content)
                video = .seen(name: name, timeline)
            } catch {
                // Stopped, or another file was opened: who did it has cleared the screen.
                guard asked == wish else { return }
                video = nil
                fail(error)
            }
        }
    }

    private func tell(_ name: String, _ share: Double, _ asked: Int) {
        if asked == wish { video = .looking(name: name, share: share) }
    }

    private func forget() {
        wish += 1
        looking?.cancel()
        (photo, answer, video, table, problem) = (nil, nil, nil, nil, nil)
    }
}
