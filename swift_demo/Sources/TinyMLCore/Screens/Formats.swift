import Foundation

/// Numbers as the screens show them.
public struct Formats: Hashable, Sendable {
    private let locale: Locale
    private let timeZone: TimeZone

    /// Formats of a language and region, with moments as clocks show them in a time zone.
    public init(locale: Locale = .current, timeZone: TimeZone = .current) {
        self.locale = locale
        self.timeZone = timeZone
    }

    public func percent(_ fraction: Double) -> String {
        fraction.formatted(.percent.precision(.fractionLength(1)).locale(locale))
    }

    public func milliseconds(_ value: Double) -> String { "\(number(value, 2)) ms" }

    public func megabytes(_ bytes: Int) -> String { "\(number(Double(bytes) / 1e6, 1)) MB" }

    public func rate(_ framesPerSecond: Double) -> String { number(framesPerSecond, 1) }

    public func ratio(_ value: Double) -> String { number(value, 2) }

    /// A place in a video, in minutes and seconds.
    public func playingTime(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.down))
        return "\(whole / 60):\(whole % 60 < 10 ? "0" : "")\(whole % 60)"
    }

    /// A moment as our files hold it ("2026-11-23T17:05:09Z"), in this time zone; another text as it is.
    public func moment(_ text: String) -> String {
        guard let date = try? Date(text, strategy: .iso8601) else { return text }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute], from: date)
        return String(
            format: "%04d-%02d-%02d %02d:%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0, parts.hour ?? 0,
            parts.minute ?? 0)
    }

    public func count(_ number: Int) -> String { number.formatted(.number.locale(locale)) }

    /// The middle and the slow end of a latency, both in milliseconds.
    public func latency(p50: Double, p95: Double) -> String { "p50 \(milliseconds(p50)), p95 \(milliseconds(p95))" }

    private func number(_ value: Double, _ digits: Int) -> String {
        value.formatted(.number.precision(.fractionLength(digits)).locale(locale))
    }
}

extension Units {
    /// What a first launch uses. In the simulator Core ML runs on the computer's own CPU: other units are said to give
    /// wrong answers there.
    public static func initial(isSimulator: Bool) -> Units { isSimulator ? .cpuOnly : .all }

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
    /// The name that a screen shows.
    public var title: String {
        switch self {
        case .cpu: "CPU"
        case .gpu: "GPU"
        case .neuralEngine: "Neural Engine"
        case .unknown: "?"
        }
    }
}
