#if canImport(SwiftUI)
import Foundation
import Observation
import TinyMLApple
import TinyMLCore

/// The photo screen's state: one image or video, what the model sees of it, and what it says.
@MainActor
@Observable
final class PhotoModel {
    private(set) var answer: PhotoScreen.Answer?
    private(set) var video: PhotoScreen.Video?
    private(set) var problem: Phrase?
    /// The photo upright, with its answer, to be drawn with it.
    var annotated: CapturedPhoto?
    /// What a video says, as a file to share and as its content.
    private(set) var table: (file: URL, content: Data)?
    private var photo: StoredImage?
    @ObservationIgnored private var looking: Task<Void, Never>?

    /// Reads and classifies a file of the user's: an image or a video.
    func open(_ url: URL, with classifier: LoadedClassifier?) async {
        if FileKind.isVideo(url) {
            look(at: url, with: classifier)
        } else {
            await read(with: classifier) { try ImageFileReader.read(url) }
        }
    }

    /// Reads and classifies the bytes of an image.
    func open(_ data: Data, with classifier: LoadedClassifier?) async {
        await read(with: classifier) { try ImageFileReader.read(data, name: "photo") }
    }

    /// Tells that an image could not be fetched.
    func fail(_ error: any Error) { problem = Phrase(of: error) }

    /// Classifies the image again, with another model.
    func classify(with classifier: LoadedClassifier?) async {
        guard let photo, let classifier else { return }
        do {
            answer = try await Task.detached {
                PhotoScreen.Answer(
                    input: try classifier.input(of: photo.image, orientation: photo.orientation),
                    classification: try classifier.classify(photo.image, orientation: photo.orientation))
            }.value
            problem = nil
        } catch {
            fail(error)
        }
    }

    /// Makes the photo ready to be drawn with its answer.
    func annotate() async {
        guard let photo, let answer else { return }
        do {
            let upright = try await Task.detached {
                try photo.image.withSource { $0.oriented(photo.orientation).image() }
            }.value
            annotated = CapturedPhoto(image: upright, predictions: answer.classification.predictions)
        } catch {
            fail(error)
        }
    }

    /// Ends looking at a video.
    func stopVideo() {
        looking?.cancel()
        video = nil
    }

    private func look(at url: URL, with classifier: LoadedClassifier?) {
        guard let classifier else { return }
        forget()
        let name = url.lastPathComponent
        video = .looking(name: name, share: 0)
        looking = Task {
            do {
                let timeline = try await CoordinatedFile.accessing(url) {
                    let analysis = VideoAnalysis(name: name, source: VideoFile(url)) {
                        try classifier.classify($0, orientation: .up)
                    }
                    return try await analysis.run { await self.tell(name, $0) }
                }
                let content = Data(timeline.table.utf8)
                let stem = url.deletingPathExtension().lastPathComponent
                table = (try SharedFile.write(content, name: "\(stem).csv"), content)
                video = .seen(name: name, timeline)
            } catch is CancellationError {
                // Stopped, or another file was opened; who did it has cleared the screen.
            } catch {
                video = nil
                fail(error)
            }
        }
    }

    private func tell(_ name: String, _ share: Double) {
        if case .looking = video { video = .looking(name: name, share: share) }
    }

    private func forget() {
        looking?.cancel()
        (photo, answer, video, table, problem) = (nil, nil, nil, nil, nil)
    }

    private func read(
        with classifier: LoadedClassifier?, _ work: @escaping @Sendable () throws -> StoredImage
    ) async {
        forget()
        do {
            photo = try await Task.detached { try work() }.value
            await classify(with: classifier)
        } catch {
            fail(error)
        }
    }
}
#endif
