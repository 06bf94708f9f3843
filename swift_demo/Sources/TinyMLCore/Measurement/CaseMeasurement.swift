/// What has been measured of one case so far.
struct CaseMeasurement {
    let units: Units
    var flags: Set<ValidityFlag>
    var failure: String?
    var compile: [Int] = []
    var firstLoad: [Int] = []
    var cachedLoad: [Int] = []
    var firstPredict: [Int] = []
    var preprocess: [Int] = []
    var predict: [Int] = []
    var postprocess: [Int] = []
    var paced: [Int] = []
    /// Whether a paced frame's answer came after the next frame's moment.
    var isLate = false
    var baselineMemory: [Int] = []
    var peakMemory: [Int] = []

    init(units: Units, flags: Set<ValidityFlag>) {
        self.units = units
        self.flags = flags
    }

    /// Nothing was taken yet, not even a load.
    var isUntouched: Bool { compile.isEmpty }

    mutating func add(_ times: StageTimes) {
        preprocess.append(times.preprocess)
        predict.append(times.predict)
        postprocess.append(times.postprocess)
    }

    /// Judges the burst by the rules of the Python tool.
    mutating func judgeBurst() {
        if predict.count < 100 { flags.insert(.fewSamples) }
        let half = predict.count / 2
        guard let first = SampleStatistics(Array(predict.prefix(half))),
            let second = SampleStatistics(Array(predict.dropFirst(half)))
        else { return }
        if abs(second.median - first.median) > 0.05 * first.median { flags.insert(.unsteady) }
    }

    /// Keeps the largest footprint.
    mutating func sawMemory(_ bytes: Int?) {
        if let bytes { peakMemory = [max(bytes, peakMemory.first ?? 0)] }
    }

    /// Compares the paced part's last ten seconds with its first ten, and says whether frames were late.
    mutating func judgePacing(rate: Int) {
        if isLate { flags.insert(.lateFrames) }
        let part = min(rate * 10, paced.count / 2)
        guard let first = SampleStatistics(Array(paced.prefix(part))),
            let last = SampleStatistics(Array(paced.suffix(part)))
        else { return }
        if last.median > first.median * 1.1 { flags.insert(.slowedDown) }
    }

    var series: [Series] {
        [
            Series(SeriesName.compile, compile), Series(SeriesName.firstLoad, firstLoad),
            Series(SeriesName.cachedLoad, cachedLoad), Series(SeriesName.firstPredict, firstPredict),
            Series(SeriesName.latency, predict), Series(SeriesName.preprocess, preprocess),
            Series(SeriesName.postprocess, postprocess), Series(SeriesName.pacedLatency, paced),
            Series(SeriesName.baselineMemory, baselineMemory), Series(SeriesName.peakMemory, peakMemory),
        ].compactMap { $0 }
    }

    func result(for benchCase: BenchCase, placement: Placement?) -> BenchResult {
        let flagNames = flags.map(\.rawValue).sorted()
        guard let failure else {
            return BenchResult(measured: benchCase, series: series, placement: placement, flags: flagNames)
        }
        return isUntouched
            ? BenchResult(notRun: benchCase, reason: failure)
            : BenchResult(failed: benchCase, reason: failure, series: series, flags: flagNames)
    }
}
