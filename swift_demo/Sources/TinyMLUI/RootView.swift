#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// The app: five screens and the alerts that belong to none of them.
public struct RootView: View {
    @State private var app = AppModel()

    public init() {}

    public var body: some View {
        TabView {
            LiveView(app: app).tabItem { Label("Camera", systemImage: "camera") }
            PhotoView(app: app).tabItem { Label("Photo", systemImage: "photo") }
            ModelsView(app: app).tabItem { Label("Models", systemImage: "shippingbox") }
            BenchmarkView(app: app).tabItem { Label("Benchmark", systemImage: "stopwatch") }
            ChecksView(app: app).tabItem { Label("Checks", systemImage: "checkmark.seal") }
        }
        .task { app.start() }
        .task(id: Choice(model: app.selection, units: app.units)) { await app.load() }
        .alert("The app ended while loading a model", isPresented: $app.hasCrashed) {
            Button("Try again on the CPU") { app.retryOnCPU() }
            Button("Go on", role: .cancel) { app.dismissCrash() }
        } message: {
            Text(verbatim: app.crashed.map { "\($0.name), \($0.units.title)" } ?? "")
        }
        .alert("Something went wrong", isPresented: $app.hasProblem) {
            Button("OK", role: .cancel) { app.problem = nil }
        } message: {
            Text(verbatim: app.problem ?? "")
        }
    }

    /// What a classifier is loaded for.
    private struct Choice: Hashable {
        let model: InstalledModel.ID?
        let units: Units
    }
}
#endif
