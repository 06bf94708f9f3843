#if canImport(AppIntents)
import AppIntents
import Foundation
import TinyMLUI

/// “Classify a photo”, in Shortcuts and by Siri: says what is on it, with the model that was chosen in the app.
struct ClassifyPhotoIntent: AppIntent {
    static let title: LocalizedStringResource = "Classify a photo"
    static let description: IntentDescription? = IntentDescription(
        "Says what is on a photo, with the model that was chosen in the app.")

    @Parameter(title: "Photo", supportedTypeIdentifiers: ["public.image"])
    var photo: IntentFile

    func perform() async throws -> some IntentResult & ReturnsValue<String> & ProvidesDialog {
        do {
            let answer = try await PhotoQuestion().answer(photo.data, name: photo.filename)
            // As a value inside: a percent sign in a text of its own would be read as a place for one.
            return .result(value: answer.label, dialog: "\(answer.sentence)")
        } catch let error as QuestionError {
            throw IntentFailure(sentence: error.sentence)
        }
    }
}

/// Why an intent failed, in the user's language: of any other error Shortcuts and Siri say only that it is unknown.
private struct IntentFailure: Error, CustomLocalizedStringResourceConvertible {
    let sentence: String

    var localizedStringResource: LocalizedStringResource { "\(sentence)" }
}

/// What can be said to Siri without setting anything up.
struct TinyMLShortcuts: AppShortcutsProvider {
    static var appShortcuts: [AppShortcut] {
        AppShortcut(
            intent: ClassifyPhotoIntent(), phrases: ["Classify a photo with \(.applicationName)"],
            shortTitle: "Classify a photo", systemImageName: "photo")
        AppShortcut(
            intent: OpenCameraIntent(), phrases: ["Classify with the camera in \(.applicationName)"],
            shortTitle: "Classify with the camera", systemImageName: "camera.viewfinder")
    }
}
#endif
