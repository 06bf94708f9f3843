#if canImport(SwiftUI)
import Foundation
import TinyMLApple
import TinyMLCore

/// Answers what is on a photo outside the app's screens, with the choices that were made on them.
public struct PhotoQuestion: Sendable {
    /// What is said of a photo.
    public struct Answer: Sendable {
        /// The class, for the next action of a shortcut; empty where none is sure enough.
        public let label: String
        /// One sentence in the user's language.
        public let sentence: String
    }

    public init() {}

    /// What the chosen model says of an image file's bytes.
    ///
    /// - Throws: `QuestionError`, which says in the user's language what went wrong.
    public func answer(_ data: Data, name: String) async throws -> Answer {
        do {
            let reply = try await reply(data, name: name)
            return Answer(label: reply.label ?? "", sentence: reply.sentence.localized)
        } catch {
            throw QuestionError(sentence: Phrase(of: error).localized)
        }
    }

    private func reply(_ data: Data, name: String) async throws -> PhotoReply {
        let choices = ChoiceFile(folder: AppFolders.support).read(isSimulator: DeviceConditions().isSimulator)
        let loader = ModelLoader()
        let models = loader.contents().models
        guard let id = choices.selection(among: models), let model = models.first(where: { $0.id == id }) else {
            throw PhotoQuestionError.noModel
        }
        let classifier = try await loader.load(model, units: choices.units)
        let found = try await WorkQueue(label: "TinyMLDemo.question").run {
            let photo = try ImageFileReader.read(data, name: name)
            return try classifier.classify(photo.image, orientation: photo.orientation)
        }
        return PhotoReply(found.predictions, threshold: choices.threshold)
    }
}

/// Why a photo could not be asked about, in the user's language.
public struct QuestionError: Error {
    public let sentence: String
}
#endif
