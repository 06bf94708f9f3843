#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore
import UniformTypeIdentifiers

/// Every model with its size and accuracy, the compute units, and the way to bring in more.
struct ModelsView: View {
    let app: AppModel
    @State private var isImporting = false
    @State private var address = ""
    @State private var storage: StorageUse?

    var body: some View {
        NavigationStack {
            ScreenView(screen: screen.content(), perform: perform) { slot in
                switch slot {
                case .computePlan:
                    if let model = app.flow.selected {
                        NavigationLink {
                            ComputePlanView(app: app, model: model)
                        } label: {
                            Text("Compute plan" as Phrase)
                        }
                    }
                case .classes:
                    if let labels = app.flow.selected?.facts.labels {
                        NavigationLink {
                            ScreenView(screen: ClassesScreen(labels: labels).content(), perform: { _ in })
                        } label: {
                            Text("All classes" as Phrase)
                        }
                    }
                case .address:
                    TextField(text: $address, prompt: Text(verbatim: "https://…/model.zip")) {
                        Text("Address of a zip archive" as Phrase)
                    }
                    .autocorrectionDisabled()
                    #if canImport(UIKit)
                    .textInputAutocapitalization(.never)
                    .keyboardType(.URL)
                    #endif
                default: EmptyView()
                }
            }
        }
        .fileImporter(isPresented: $isImporting, allowedContentTypes: [.folder, .package, .zip]) { result in
            switch result {
            case .success(let url): Task { await app.flow.importModel(from: url) }
            case .failure(let error): app.flow.problem = Phrase(of: error)
            }
        }
        .task(id: app.flow.models.map(\.id)) { storage = await app.storage() }
    }

    private var screen: ModelsScreen {
        var screen = ModelsScreen()
        app.flow.fill(&screen)
        screen.address = address
        screen.storage = storage
        return screen
    }

    private func perform(_ action: ModelsScreen.Action) {
        switch action {
        case .choose(let model): app.flow.selection = model
        case .use(let units): app.flow.units = units
        case .importFile: isImporting = true
        case .fetch: Task { await app.flow.importModel(fromAddress: address) }
        case .delete(let id): app.flow.delete(id)
        case .discard(let id): app.flow.discard(id)
        }
    }
}
#endif
