#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// The best classes with bars of their probability; each is one element for VoiceOver.
struct PredictionList: View {
    let predictions: [Prediction]

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            ForEach(predictions, id: \.label) { prediction in
                PredictionRow(prediction: prediction)
            }
        }
    }
}

private struct PredictionRow: View {
    let prediction: Prediction

    var body: some View {
        VStack(alignment: .leading, spacing: 2) {
            HStack {
                Text(verbatim: prediction.label).font(.headline)
                Spacer()
                Text(verbatim: Formats.percent(prediction.probability)).font(.body.monospacedDigit())
            }
            ProgressView(value: min(max(prediction.probability, 0), 1))
        }
        .accessibilityElement(children: .ignore)
        .accessibilityLabel(Text(verbatim: prediction.label))
        .accessibilityValue(Text(verbatim: Formats.percent(prediction.probability)))
    }
}
#endif
