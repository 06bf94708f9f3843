#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// What the benchmark is doing now, in words.
struct BenchmarkPhaseView: View {
    let phase: BenchmarkPhase

    var body: some View {
        HStack {
            ProgressView()
            VStack(alignment: .leading) {
                Text(title)
                if let detail { Text(verbatim: detail).font(.footnote).foregroundStyle(.secondary) }
            }
        }
        .accessibilityElement(children: .combine)
    }

    private var title: LocalizedStringKey {
        switch phase {
        case .cooling: "Waiting for the device to cool down"
        case .loading: "Compiling and loading"
        case .warmingUp: "Warming up"
        case .burst: "Back to back"
        case .paced: "At a camera’s pace"
        case .finished: "Done"
        }
    }

    private var detail: String? {
        switch phase {
        case .cooling(let seconds): "\(seconds) s"
        case .loading(let units), .warmingUp(let units): units.title
        case .burst(let units, let round, let rounds): "\(units.title), \(round) / \(rounds)"
        case .paced(let units, let second, let seconds): "\(units.title), \(second) / \(seconds) s"
        case .finished: nil
        }
    }
}
#endif
