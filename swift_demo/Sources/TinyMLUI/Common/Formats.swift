#if canImport(SwiftUI)
import Foundation
import TinyMLCore

/// Numbers as the screens show them.
enum Formats {
    static func percent(_ fraction: Double) -> String {
        fraction.formatted(.percent.precision(.fractionLength(1)))
    }

    static func milliseconds(_ value: Double) -> String {
        "\(value.formatted(.number.precision(.fractionLength(2)))) ms"
    }

    static func megabytes(_ bytes: Int) -> String {
        "\((Double(bytes) / 1e6).formatted(.number.precision(.fractionLength(1)))) MB"
    }

    static func rate(_ framesPerSecond: Double) -> String {
        framesPerSecond.formatted(.number.precision(.fractionLength(1)))
    }
}

extension Units {
    /// The name that a screen shows; Apple's own names, so not translated.
    var title: String {
        switch self {
        case .cpuOnly, .cpu: "CPU"
        case .cpuAndGPU: "CPU + GPU"
        case .cpuAndNeuralEngine: "CPU + Neural Engine"
        case .all, .coreml, .mps, .cuda: "CPU + GPU + Neural Engine"
        }
    }
}

extension ComputeDevice {
    var title: String {
        switch self {
        case .cpu: "CPU"
        case .gpu: "GPU"
        case .neuralEngine: "Neural Engine"
        case .unknown: "?"
        }
    }
}
#endif
