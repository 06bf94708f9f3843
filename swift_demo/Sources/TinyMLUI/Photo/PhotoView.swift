#if canImport(SwiftUI)
import PhotosUI
import SwiftUI
import TinyMLCore
import UniformTypeIdentifiers

/// A photo from the library, a file or a drop, and what the model says of it.
struct PhotoView: View {
    let app: AppModel
    @State private var photo = PhotoModel()
    @State private var item: PhotosPickerItem?
    @State private var isImporting = false

    var body: some View {
        NavigationStack {
            ScreenView(screen: screen.content(), perform: { _ in isImporting = true }) { slot in
                switch slot {
                case .photoLibrary:
                    PhotosPicker(selection: $item, matching: .images) {
                        Label("Photo library", symbol: "photo.on.rectangle")
                    }
                case .modelInput: input
                default: EmptyView()
                }
            }
        }
        .dropDestination(for: DroppedImage.self) { images, _ in
            guard let image = images.first else { return false }
            Task { await photo.open(image.data, with: app.state.classifier) }
            return true
        }
        .fileImporter(isPresented: $isImporting, allowedContentTypes: [.image]) { result in
            switch result {
            case .success(let url): Task { await photo.open(url, with: app.state.classifier) }
            case .failure(let error): photo.fail(error)
            }
        }
        .task(id: item) { await fetchItem() }
        .task(id: app.state.classifier.map(ObjectIdentifier.init)) {
            await photo.classify(with: app.state.classifier)
        }
    }

    private var screen: PhotoScreen {
        var screen = PhotoScreen()
        screen.stage = app.state.stage
        screen.answer = photo.answer
        screen.problem = photo.problem
        return screen
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
                await photo.open(data, with: app.state.classifier)
            }
        } catch {
            photo.fail(error)
        }
    }
}
#endif
