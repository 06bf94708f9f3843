#if canImport(SwiftUI)
import CoreVideo
import PhotosUI
import SwiftUI
import TinyMLApple
import TinyMLCore
import UniformTypeIdentifiers

/// A photo from the library, a file or a drop, and what the model says of it.
struct PhotoView: View {
    let app: AppModel
    @State private var photo = PhotoFlow<CVPixelBuffer>(files: SystemPhotoFiles())
    @State private var item: PhotosPickerItem?
    @State private var isImporting = false
    @State private var isSaving = false

    var body: some View {
        NavigationStack {
            ScreenView(screen: screen.content(), perform: perform) { slot in
                switch slot {
                case .photoLibrary:
                    PhotosPicker(selection: $item, matching: .images) {
                        Label("Photo library", symbol: "photo.on.rectangle")
                    }
                case .modelInput: input
                case .share:
                    if let table = photo.table {
                        ShareLink(item: table.file) { Label("Share the table", symbol: "square.and.arrow.up") }
                    }
                default: EmptyView()
                }
            }
            .fileExporter(
                isPresented: $isSaving, document: photo.table.map { ExportedFile($0.content) },
                contentType: .commaSeparatedText, defaultFilename: photo.table?.file.lastPathComponent
            ) { result in
                if case .failure(let error) = result { app.flow.problem = Phrase(of: error) }
            }
        }
        .dropDestination(for: DroppedImage.self) { images, _ in
            guard let image = images.first else { return false }
            Task { await photo.open(image.data) }
            return true
        }
        .fileImporter(isPresented: $isImporting, allowedContentTypes: [.image, .movie]) { result in
            switch result {
            case .success(let url): Task { await photo.open(url) }
            case .failure(let error): photo.fail(error)
            }
        }
        .sheet(isPresented: ItemControl(photo.annotated != nil) { if !$0 { photo.annotated = nil } }.binding) {
            if let annotated = photo.annotated {
                PictureView(app: app, photo: annotated) { photo.annotated = nil }
            }
        }
        .task(id: item) { await fetchItem() }
        .task(id: app.flow.state.loaded.map { ObjectIdentifier($0) }) {
            await photo.use(app.flow.state.loaded)
        }
    }

    private var screen: PhotoScreen {
        photo.screen(stage: app.flow.state.stage, threshold: app.flow.choices.threshold)
    }

    private func perform(_ action: PhotoScreen.Action) {
        switch action {
        case .openFile: isImporting = true
        case .annotate: Task { await photo.annotate() }
        case .copy:
            if let answer = photo.answer { Clipboard.copy(PhotoCaption.text(of: answer.classification.top)) }
        case .stopVideo: photo.stopVideo()
        case .saveTable: isSaving = true
        }
    }

    @ViewBuilder private var input: some View {
        if let image = photo.answer?.input.cgImage {
            Image(decorative: image, scale: 1)
                .interpolation(.none)
                .resizable()
                .aspectRatio(1, contentMode: .fit)
                .frame(maxWidth: 256)
                .accessibilityElement(children: .ignore)
        }
    }

    /// The asynchronous way would send the item off this actor, and no page says that it may be sent.
    private func bytes(of item: PhotosPickerItem) async throws -> Data? {
        try await withCheckedThrowingContinuation { continuation in
            item.loadTransferable(type: Data.self) { continuation.resume(with: $0) }
        }
    }

    private func fetchItem() async {
        guard let item else { return }
        do {
            if let data = try await bytes(of: item) {
                await photo.open(data)
            }
        } catch {
            photo.fail(error)
        }
    }
}
#endif
