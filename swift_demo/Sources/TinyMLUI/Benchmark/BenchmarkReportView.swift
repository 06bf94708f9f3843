#if canImport(SwiftUI)
import Charts
import SwiftUI
import TinyMLCore

/// A run's middle latencies as bars, each case with its numbers and flags, and the file to share.
struct BenchmarkReportView: View {
    let report: BenchmarkModel.Report

    var body: some View {
        Section("Results") {
            Chart(bars) { bar in
                BarMark(x: .value("Milliseconds", bar.milliseconds), y: .value("Compute units", bar.name))
            }
            .frame(height: 160)
            .accessibilityLabel(Text("Median latency by compute units"))
            ForEach(report.run.results, id: \.case.requestedUnits) { BenchmarkResultView(result: $0) }
            ShareLink(item: report.file) { Label("Share the result file", systemImage: "square.and.arrow.up") }
            Text("Read it on a computer with “tinyml bench import”.").font(.footnote).foregroundStyle(.secondary)
        }
    }

    private struct Bar: Identifiable {
        let name: String
        let milliseconds: Double

        var id: String { name }
    }

    private var bars: [Bar] {
        report.run.results.compactMap { result in
            result.statistics(of: SeriesName.latency).map {
                Bar(name: result.case.requestedUnits.title, milliseconds: $0.median / 1e6)
            }
        }
    }
}

private struct BenchmarkResultView: View {
    let result: BenchResult

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(verbatim: result.case.requestedUnits.title).font(.headline)
            if let reason = result.reason { Text(verbatim: reason) }
            series("Prediction, back to back", SeriesName.latency)
            series("Prediction, paced", SeriesName.pacedLatency)
            series("First load", SeriesName.firstLoad)
            series("Load from the cache", SeriesName.cachedLoad)
            if !result.flags.isEmpty {
                Label {
                    Text(verbatim: result.flags.joined(separator: ", "))
                } icon: {
                    Image(systemName: "flag")
                }
                .font(.footnote)
                .accessibilityLabel(Text("Flags"))
                .accessibilityValue(Text(verbatim: result.flags.joined(separator: ", ")))
            }
            if result.isInvalid {
                Label("Not valid as a measurement", systemImage: "xmark.octagon").font(.footnote)
            }
        }
    }

    @ViewBuilder private func series(_ title: LocalizedStringKey, _ name: String) -> some View {
        if let statistics = result.statistics(of: name) {
            let p50 = Formats.milliseconds(statistics.median / 1e6)
            let p95 = Formats.milliseconds(statistics.percentile(95) / 1e6)
            LabeledContent(title, value: statistics.count > 1 ? "p50 \(p50), p95 \(p95)" : p50)
        }
    }
}
#endif
