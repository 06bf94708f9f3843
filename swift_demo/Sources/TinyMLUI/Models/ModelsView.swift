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
                    if let model = app.selected {
                        NavigationLink {
                            ComputePlanView(app: app, model: model)
                        } label: {
                            Text("Compute plan" as Phrase)
                        }
                    }
                case .address:
                    TextField(text: $address, prompt: Text(verbatim: "https://…/model.zip")) {
                        Text("Address of a zip archive" as Phrase)
                    }
                    .autocorrectionDisabled()
                default: EmptyView()
                }
            }
        }
        .fileImporter(isPresented: $isImporting, allowedContentTypes: [.folder, .package, .zip]) { result in
            switch result {
            case .success(let url): Task { await app.importModel(from: url) }
            case .failure(let error): app.problem = Phrase(of: error)
            }
        }
        .task(id: app.models.map(\.id)) { storage = await app.storage() }
    }

    private var screen: ModelsScreen {
        var screen = ModelsScreen()
        screen.models = app.models
        screen.refused = app.refused
        screen.selection = app.selection
        screen.units = app.units
        screen.deletable = Set(app.models.filter(app.canDelete).map(\.id))
        screen.discardable = app.discardable
        screen.address = address
        screen.isTakingIn = app.isTakingIn
        screen.storage = storage
        return screen
    }

    private func perform(_ action: ModelsScreen.Action) {
        switch action {
        case .choose(let model): app.selection = model
        case .use(let units): app.units = units
        case .importFile: isImporting = true
        case .fetch: Task { await app.importModel(fromAddress: address) }
        case .delete(let id): if let model = app.models.first(where: { $0.id == id }) { app.delete(model) }
        case .discard(let id): if let refusal = app.refused.first(where: { $0.id == id }) { app.delete(refusal) }
        }
    }
}
#endif
