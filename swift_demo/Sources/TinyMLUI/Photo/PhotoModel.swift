#if canImport(SwiftUI)
import Foundation
import Observation
import TinyMLApple
import TinyMLCore

/// The photo screen's state: one image, what the model sees of it, and what it says.
@MainActor
@Observable
final class PhotoModel {
    private(set) var answer: PhotoScreen.Answer?
    private(set) var problem: String?
    private var photo: StoredImage?

    /// Reads and classifies an image file of the user's.
    func open(_ url: URL, with classifier: CoreMLClassifier?) async {
        await read(with: classifier) { try ImageFileReader.read(url) }
    }

    /// Reads and classifies the bytes of an image.
    func open(_ data: Data, with classifier: CoreMLClassifier?) async {
        await read(with: classifier) { try ImageFileReader.read(data, name: "photo") }
    }

    /// Tells that an image could not be fetched.
    func fail(_ error: any Error) { problem = "\(error)" }

    /// Classifies the image again, with another model.
    func classify(with classifier: CoreMLClassifier?) async {
        guard let photo, let classifier else { return }
        do {
            answer = try await Task.detached {
                PhotoScreen.Answer(
                    input: try classifier.input(of: photo.image, orientation: photo.orientation),
                    classification: try classifier.classify(photo.image, orientation: photo.orientation))
            }.value
            problem = nil
        } catch {
            problem = "\(error)"
        }
    }

    private func read(
        with classifier: CoreMLClassifier?, _ work: @escaping @Sendable () throws -> StoredImage
    ) async {
        do {
            photo = try await Task.detached { try work() }.value
            await classify(with: classifier)
        } catch {
            problem = "\(error)"
        }
    }
}
#endif
