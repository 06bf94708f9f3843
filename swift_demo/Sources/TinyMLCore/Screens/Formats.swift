import Foundation

/// Numbers as the screens show them, in the way of a language.
public struct Formats: Hashable, Sendable {
    private let locale: Locale

    public init(locale: Locale = .current) {
        self.locale = locale
    }

    public func percent(_ fraction: Double) -> String {
        fraction.formatted(.percent.precision(.fractionLength(1)).locale(locale))
    }

    public func milliseconds(_ value: Double) -> String { "\(number(value, digits: 2)) ms" }

    public func megabytes(_ bytes: Int) -> String { "\(number(Double(bytes) / 1e6, digits: 1)) MB" }

    public func rate(_ framesPerSecond: Double) -> String { number(framesPerSecond, digits: 1) }

    public func zoom(_ factor: Double) -> String { "\(number(factor, digits: 1))×" }

    public func count(_ value: Int) -> String { value.formatted(.number.locale(locale)) }

    /// "2:05" of a time in a video.
    public func time(seconds: Double) -> String {
        let whole = Int(seconds)
        return "\(whole / 60):\(whole % 60 < 10 ? "0" : "")\(whole % 60)"
    }

    public func latency(_ latency: LiveReading.Latency) -> String {
        "p50 \(milliseconds(latency.p50)), p95 \(milliseconds(latency.p95))"
    }

    private func number(_ value: Double, digits: Int) -> String {
        value.formatted(.number.precision(.fractionLength(digits)).locale(locale))
    }
}

extension Units {
    /// The name that a screen shows; Apple's own names, so not translated.
    public var title: String {
        switch self {
        case .cpuOnly, .cpu: "CPU"
        case .cpuAndGPU: "CPU + GPU"
        case .cpuAndNeuralEngine: "CPU + Neural Engine"
        case .all, .coreml, .mps, .cuda: "CPU + GPU + Neural Engine"
        }
    }
}

extension ComputeDevice {
    public var title: String {
        switch self {
        case .cpu: "CPU"
        case .gpu: "GPU"
        case .neuralEngine: "Neural Engine"
        case .unknown: "?"
        }
    }
}

extension InstalledModel {
    /// "densenet coreml-int8".
    public var title: String { "\(artifact.spec.architecture) \(artifact.variant.name)" }
}
