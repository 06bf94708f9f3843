/// The benchmark screen: what is measured, how far it is, and what came out.
public struct BenchmarkScreen: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        case quick(Bool)
        case include(Units, Bool)
        case measure, stop, saveFile
    }

    public var isQuick = true
    public var units = Set(Units.coreMLUnits)
    public var hasModel = false
    /// From the first step on; nil while nothing is measured.
    public var phase: BenchmarkPhase?
    /// Whether a run was started and has not ended.
    public var isRunning = false
    public var run: BenchRun?
    public var problem: Phrase?

    public init() {}

    /// A run was started.
    public mutating func begin() { (isRunning, run, problem) = (true, nil, nil) }

    /// The run has ended, one way or the other.
    public mutating func end() { (isRunning, phase) = (false, nil) }

    public func content(_ formats: Formats = Formats()) -> Screen<Action> {
        Screen("Benchmark", [settings, progress, results(formats), earlier])
    }

    private var settings: ScreenSection<Action> {
        var items: [ScreenItem<Action>] = []
        if !isRunning {
            items = [.toggle("First look only", isOn: isQuick, .quick(!isQuick))]
            items += Units.coreMLUnits.map { unit in
                .toggle(.verbatim(unit.title), isOn: units.contains(unit), .include(unit, !units.contains(unit)))
            }
            items.append(.button("Measure", .measure, isEnabled: hasModel && !units.isEmpty))
        }
        let warning: Phrase =
            "Leave the app open and the camera screen closed: otherwise the results are marked as not valid."
        return ScreenSection(.settings, title: "Measurement", items, remark: warning)
    }

    private var earlier: ScreenSection<Action>? {
        isRunning ? nil : ScreenSection(.more, [.slot(.history, "Earlier runs and recordings")])
    }

    private var progress: ScreenSection<Action>? {
        if isRunning {
            return ScreenSection(
                .progress, [phase.map(told) ?? .progress("Getting ready"), .button("Stop", .stop, role: .cancel)])
        }
        return problem.map {
            ScreenSection(.progress, [.remark($0, symbol: "exclamationmark.triangle")])
        }
    }

    private func told(_ phase: BenchmarkPhase) -> ScreenItem<Action> {
        switch phase {
        case .cooling(let seconds):
            .progress("Waiting for the device to cool down", detail: .verbatim("\(seconds) s"))
        case .loading(let units): .progress("Compiling and loading", detail: .verbatim(units.title))
        case .warmingUp(let units): .progress("Warming up", detail: .verbatim(units.title))
        case .burst(let units, let round, let rounds):
            .progress("Back to back", detail: .verbatim("\(units.title), \(round) / \(rounds)"))
        case .paced(let units, let second, let seconds):
            .progress("At a camera’s pace", detail: .verbatim("\(units.title), \(second) / \(seconds) s"))
        case .finished: .progress("Done")
        }
    }

    /// A result's reason, which stands in English in its file.
    private func told(_ reason: String) -> Phrase {
        BenchmarkRunner.Stop.allCases.first { $0.description == reason }?.phrase ?? .verbatim(reason)
    }

    private func results(_ formats: Formats) -> ScreenSection<Action>? {
        guard let run else { return nil }
        let bars: [ScreenItem<Action>.Bar] = run.results.compactMap { result in
            result.statistics(of: SeriesName.latency).map {
                .init(name: result.case.requestedUnits.title, value: $0.median / 1e6)
            }
        }
        let chart: ScreenItem<Action> = .chart(
            "Median latency by compute units", unit: "Milliseconds", axis: "Compute units", bars)
        return ScreenSection(
            .results, title: "Results",
            [bars.isEmpty ? nil : chart] + run.results.flatMap { items(of: $0, formats) } + [
                .slot(.share, "Share the result file"),
                .button("Save the result file", .saveFile, symbol: "square.and.arrow.down"),
            ], remark: "Read it on a computer with “tinyml bench import”.")
    }

    private func items(of result: BenchResult, _ formats: Formats) -> [ScreenItem<Action>?] {
        func series(_ title: Phrase, _ name: String) -> ScreenItem<Action>? {
            result.statistics(of: name).map { statistics in
                let (p50, p95) = (statistics.median / 1e6, statistics.percentile(95) / 1e6)
                return .value(
                    title, statistics.count > 1 ? formats.latency(p50: p50, p95: p95) : formats.milliseconds(p50))
            }
        }
        return [
            .heading(.verbatim(result.case.requestedUnits.title)), result.reason.map { .text(told($0)) },
            series("Prediction, back to back", SeriesName.latency),
            series("Prediction, paced", SeriesName.pacedLatency), series("First load", SeriesName.firstLoad),
            series("Load from the cache", SeriesName.cachedLoad),
            result.flags.isEmpty
                ? nil : .remark(ValidityFlag.titles(of: result.flags), symbol: "flag", label: "Flags"),
            result.isInvalid ? .remark("Not valid as a measurement", symbol: "xmark.octagon") : nil,
        ]
    }
}
