#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// Replays the golden image and tells whether this device says what the exporter verified.
struct ChecksView: View {
    let app: AppModel
    @State private var state = CheckState.idle

    private enum CheckState {
        case idle
        case running
        case findings([SelfTest.Finding])
        case failed(String)
    }

    var body: some View {
        NavigationStack {
            List {
                Section {
                    Button("Check the model on this device") { Task { await run() } }
                        .disabled(app.selected == nil)
                } footer: {
                    Text("Runs the image that came with the model and compares the answer with the exporter’s.")
                }
                result
            }
            .navigationTitle("Checks")
        }
        .onChange(of: app.selection) { state = .idle }
    }

    @ViewBuilder private var result: some View {
        switch state {
        case .idle:
            EmptyView()
        case .running:
            ProgressView()
        case .failed(let reason):
            Text(verbatim: reason)
        case .findings(let findings):
            if findings.isEmpty {
                Text("This model came without a golden image.")
            }
            ForEach(findings, id: \.name) { FindingView(finding: $0) }
        }
    }

    private func run() async {
        guard let model = app.selected else { return }
        state = .running
        do {
            state = .findings(try await app.loader.selfTest(of: model, units: app.units))
        } catch {
            state = .failed("\(error)")
        }
    }
}

/// A finding: a symbol and a word say the verdict, so color need not.
private struct FindingView: View {
    let finding: SelfTest.Finding

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Label(title, systemImage: symbol).font(.headline)
            Text(verbatim: finding.name)
            Text(verbatim: finding.sentence).font(.footnote).foregroundStyle(.secondary)
        }
        .accessibilityElement(children: .combine)
    }

    private var title: LocalizedStringKey {
        switch finding.verdict {
        case .passed: "Passed"
        case .failed: "Failed"
        case .undecided: "Undecided"
        }
    }

    private var symbol: String {
        switch finding.verdict {
        case .passed: "checkmark.circle"
        case .failed: "xmark.circle"
        case .undecided: "questionmark.circle"
        }
    }
}
#endif
