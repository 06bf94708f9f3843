#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// Which device the system prefers for each operation.
struct ComputePlanView: View {
    let app: AppModel
    let model: InstalledModel
    @State private var state = PlanState.loading

    private enum PlanState {
        case loading
        case absent
        case plan(ComputePlanSummary)
        case failed(String)
    }

    var body: some View {
        content
            .navigationTitle("Compute plan")
            .task(id: app.units) { await load() }
    }

    @ViewBuilder private var content: some View {
        switch state {
        case .loading:
            ProgressView()
        case .absent:
            ContentUnavailableView(
                "No compute plan", systemImage: "questionmark.circle",
                description: Text("The system tells it from iOS 17.4 and macOS 14.4 on, for ML Programs."))
        case .failed(let reason):
            ContentUnavailableView(
                "No compute plan", systemImage: "exclamationmark.triangle", description: Text(verbatim: reason))
        case .plan(let plan):
            List {
                Section("Operations by preferred device") {
                    ForEach(ComputeDevice.allCases, id: \.self) { device in
                        LabeledContent {
                            Text(verbatim: plan.count(on: device).formatted())
                        } label: {
                            Text(verbatim: device.title)
                        }
                    }
                }
                Section("In order") {
                    ForEach(plan.operations) { operation in
                        LabeledContent {
                            Text(verbatim: told(operation))
                        } label: {
                            Text(verbatim: operation.name)
                        }
                    }
                }
            }
        }
    }

    private func told(_ operation: PlannedOperation) -> String {
        [operation.device.title, operation.cost.map(Formats.percent)].compactMap { $0 }.joined(separator: ", ")
    }

    private func load() async {
        state = .loading
        do {
            state = try await app.loader.computePlan(of: model, units: app.units).map(PlanState.plan) ?? .absent
        } catch {
            state = .failed("\(error)")
        }
    }
}
#endif
