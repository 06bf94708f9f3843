#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore
import UniformTypeIdentifiers

/// Every model with its size and accuracy, the compute units, and the way to bring in more.
struct ModelsView: View {
    @Bindable var app: AppModel
    @State private var isImporting = false

    var body: some View {
        NavigationStack {
            Form {
                Section("Model") {
                    ForEach(app.models) { model in
                        Button {
                            app.selection = model.id
                        } label: {
                            ModelRow(model: model, isChosen: model.id == app.selection)
                        }
                    }
                }
                Section("Compute units") {
                    Picker("Allowed", selection: $app.units) {
                        ForEach(Units.coreMLUnits, id: \.self) { Text(verbatim: $0.title).tag($0) }
                    }
                    Text("A permission: where each operation really runs, the system decides.").font(.footnote)
                    if let model = app.selected {
                        NavigationLink("Compute plan") { ComputePlanView(app: app, model: model) }
                    }
                }
                if !app.refused.isEmpty { RefusedSection(refused: app.refused) }
                Section("More models") {
                    Button {
                        isImporting = true
                    } label: {
                        Label("Import an exported folder", systemImage: "square.and.arrow.down")
                    }
                }
            }
            .formStyle(.grouped)
            .navigationTitle("Models")
        }
        .fileImporter(isPresented: $isImporting, allowedContentTypes: [.folder]) { result in
            switch result {
            case .success(let url): Task { await app.importModel(from: url) }
            case .failure(let error): app.problem = "\(error)"
            }
        }
    }
}

private struct ModelRow: View {
    let model: InstalledModel
    let isChosen: Bool

    var body: some View {
        HStack {
            VStack(alignment: .leading) {
                Text(verbatim: model.title).font(.headline)
                Text(verbatim: facts).font(.footnote).foregroundStyle(.secondary)
            }
            Spacer()
            if isChosen { Image(systemName: "checkmark") }
        }
        .accessibilityElement(children: .combine)
        .accessibilityAddTraits(isChosen ? [.isSelected] : [])
    }

    private var facts: String {
        let accuracy = model.facts.verification.map { "top-1 \(Formats.percent($0.artifact.top1))" }
        let size = Formats.megabytes(model.facts.bytes)
        return [size, accuracy, model.facts.data].compactMap { $0 }.joined(separator: ", ")
    }
}

private struct RefusedSection: View {
    let refused: [ModelCatalog.Refusal]

    var body: some View {
        Section("Cannot be used") {
            ForEach(refused) { refusal in
                VStack(alignment: .leading) {
                    Text(verbatim: refusal.folder).font(.headline)
                    Text(verbatim: refusal.reason).font(.footnote)
                }
            }
        }
    }
}
#endif
