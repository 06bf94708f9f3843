#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore
import UniformTypeIdentifiers

/// Measures the chosen model and shows, charts, shares and saves what came out.
struct BenchmarkView: View {
    let app: AppModel
    @State private var isSaving = false

    private var benchmark: BenchmarkModel { app.benchmark }

    var body: some View {
        NavigationStack {
            ScreenView(screen: screen.content(), perform: perform) { slot in
                switch slot {
                case .share:
                    if let report = benchmark.report {
                        ShareLink(item: report.file) {
                            Label("Share the result file", symbol: "square.and.arrow.up")
                        }
                    }
                case .history:
                    NavigationLink {
                        HistoryView()
                    } label: {
                        Text("Earlier runs and recordings" as Phrase)
                    }
                default: EmptyView()
                }
            }
        }
        .fileExporter(
            isPresented: $isSaving, document: benchmark.report.map { ExportedFile($0.json) }, contentType: .json,
            defaultFilename: benchmark.report?.run.id
        ) { result in
            if case .failure(let error) = result { app.flow.problem = Phrase(of: error) }
        }
    }

    private var screen: BenchmarkScreen {
        var screen = benchmark.screen
        screen.hasModel = app.flow.selected != nil
        return screen
    }

    private func perform(_ action: BenchmarkScreen.Action) {
        switch action {
        case .quick(let isQuick): benchmark.screen.isQuick = isQuick
        case .include(let units, true): benchmark.screen.units.insert(units)
        case .include(let units, false): benchmark.screen.units.remove(units)
        case .measure:
            guard let model = app.flow.selected else { return }
            Task { await benchmark.run(model, breadcrumb: app.loader.breadcrumb, activity: app.activity) }
        case .stop: benchmark.cancel()
        case .saveFile: isSaving = true
        }
    }
}
#endif
