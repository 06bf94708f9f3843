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
        let answer = try await PhotoQuestion().answer(photo.data, name: photo.filename)
        return .result(value: answer.label, dialog: IntentDialog(stringLiteral: answer.sentence))
    }
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
