#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// Measures the chosen model and shows, charts and shares what came out.
struct BenchmarkView: View {
    let app: AppModel
    @State private var benchmark = BenchmarkModel()

    var body: some View {
        NavigationStack {
            Form {
                settings
                if let problem = benchmark.problem { Text(verbatim: problem) }
                if let report = benchmark.report {
                    BenchmarkReportView(report: report)
                }
            }
            .formStyle(.grouped)
            .navigationTitle("Benchmark")
        }
    }

    private var settings: some View {
        Section("Measurement") {
            Toggle("First look only", isOn: $benchmark.isQuick)
            ForEach(Units.coreMLUnits, id: \.self) { units in
                Toggle(isOn: $benchmark[includes: units]) { Text(verbatim: units.title) }
            }
            if let phase = benchmark.phase {
                BenchmarkPhaseView(phase: phase)
                Button("Stop", role: .cancel) { benchmark.cancel() }
            } else {
                Button("Measure") {
                    guard let model = app.selected else { return }
                    Task { await benchmark.run(model, breadcrumb: app.loader.breadcrumb) }
                }
                .disabled(app.selected == nil || benchmark.isRunning || !benchmark.hasUnits)
            }
        }
        .disabled(benchmark.isRunning && benchmark.phase == nil)
    }
}
#endif
