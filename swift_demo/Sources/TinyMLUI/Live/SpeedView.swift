#if canImport(SwiftUI)
import SwiftUI
import TinyMLCore

/// Latency percentiles of each stage, the frame rate and the dropped frames.
struct SpeedView: View {
    let reading: LiveReading

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            row("Preparing the image", reading.preprocess)
            row("Prediction", reading.predict)
            row("Reading the answer", reading.postprocess)
            row("Together", reading.total)
            if let rate = reading.framesPerSecond {
                LabeledContent("Frames per second", value: Formats.rate(rate))
            }
            LabeledContent("Dropped frames", value: reading.droppedFrames.formatted())
        }
        .font(.footnote.monospacedDigit())
    }

    private func row(_ title: LocalizedStringKey, _ latency: LiveReading.Latency) -> some View {
        let text = "p50 \(Formats.milliseconds(latency.p50)), p95 \(Formats.milliseconds(latency.p95))"
        return LabeledContent(title, value: text)
    }
}
#endif
