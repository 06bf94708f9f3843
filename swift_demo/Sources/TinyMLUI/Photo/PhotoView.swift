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
            LoadStateView(app: app) {
                ScrollView {
                    VStack(alignment: .leading, spacing: 16) {
                        sources
                        answer
                    }
                    .padding()
                }
            }
            .navigationTitle("Photo")
        }
        .dropDestination(for: URL.self) { urls, _ in
            guard let url = urls.first else { return false }
            Task { await photo.open(url, with: app.state.classifier) }
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

    private var sources: some View {
        HStack {
            PhotosPicker(selection: $item, matching: .images) {
                Label("Photo library", systemImage: "photo.on.rectangle")
            }
            Button {
                isImporting = true
            } label: {
                Label("Open a file", systemImage: "folder")
            }
        }
        .buttonStyle(.bordered)
    }

    @ViewBuilder private var answer: some View {
        if let problem = photo.problem {
            Label {
                Text(verbatim: problem)
            } icon: {
                Image(systemName: "exclamationmark.triangle")
            }
        } else if let answer = photo.answer {
            if let input = answer.input.cgImage {
                Image(decorative: input, scale: 1)
                    .interpolation(.none)
                    .resizable()
                    .aspectRatio(1, contentMode: .fit)
                    .frame(maxWidth: 256)
                LabeledContent("What the model sees", value: "\(answer.input.width) × \(answer.input.height)")
                    .font(.footnote)
            }
            PredictionList(predictions: answer.classification.top)
            LabeledContent(
                "Prediction", value: Formats.milliseconds(Double(answer.classification.times.predict) / 1e6))
        } else {
            Text("Choose a photo, open a file, or drop one here.").foregroundStyle(.secondary)
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
