#if canImport(SwiftUI)
import SwiftUI
import TinyMLApple
import TinyMLCore
import UniformTypeIdentifiers

/// A picture with its answer below it, to be shared and saved.
struct PictureView: View {
    let app: AppModel
    let photo: CapturedPhoto
    let done: @MainActor () -> Void
    @State private var drawn: DrawnPicture?
    @State private var problem: Phrase?
    @State private var isSaving = false

    var body: some View {
        NavigationStack {
            ScreenView(screen: screen.content(), perform: perform) { slot in
                switch slot {
                case .annotatedPhoto: picture
                case .share:
                    if let drawn {
                        ShareLink(item: drawn.file) { Label("Share the picture", symbol: "square.and.arrow.up") }
                    }
                default: EmptyView()
                }
            }
            .fileExporter(
                isPresented: $isSaving, document: drawn.map { ExportedFile($0.content) }, contentType: .png,
                defaultFilename: caption.fileName
            ) { result in
                if case .failure(let error) = result { problem = Phrase(of: error) }
            }
        }
        .frame(minWidth: 320, maxWidth: .infinity, minHeight: 480)
        .task { draw() }
    }

    private var caption: PhotoCaption {
        PhotoCaption(photo.predictions, threshold: app.flow.choices.threshold, model: app.flow.selected?.title ?? "")
    }

    private var screen: PictureScreen {
        var screen = PictureScreen(caption: caption, predictions: photo.predictions)
        screen.isDrawn = drawn != nil
        screen.problem = problem
        return screen
    }

    @ViewBuilder private var picture: some View {
        if let drawn {
            Image(decorative: drawn.image, scale: 1)
                .resizable()
                .aspectRatio(nil, contentMode: .fit)
                .accessibilityElement(children: .ignore)
        }
    }

    private func draw() {
        do {
            drawn = try DrawnPicture(photo.image, caption: caption)
        } catch {
            problem = Phrase(of: error)
        }
    }

    private func perform(_ action: PictureScreen.Action) {
        switch action {
        case .save: isSaving = true
        case .copy: Clipboard.copy(PhotoCaption.text(of: photo.predictions))
        case .done: done()
        }
    }
}
#endif
