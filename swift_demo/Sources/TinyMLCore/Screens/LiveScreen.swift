/// The camera screen: the picture, its controls, the answer and the speed.
public struct LiveScreen: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        case pause, resume, nextCamera
        case torch(Bool)
        case zoom(Double)
        case openSettings, retry
        case takePicture, copy
        case record(Bool)
        case saveRecording
        case threshold(Double)
        case compare(InstalledModel.ID?)
    }

    public var stage = LoadStage.none
    public var status = CameraStatus()
    /// Why a prediction or a control failed.
    public var problem: Phrase?
    public var update: LiveUpdate?
    /// The probability from which on a class is told, 0 to 1.
    public var threshold = 0.5
    /// The models that the chosen one can be compared with on the same frames.
    public var others: [InstalledModel] = []
    /// The model that it is compared with; nil for none.
    public var beside: InstalledModel.ID?
    /// Why the second model cannot be used.
    public var besideProblem: Phrase?
    /// The lines of the recording that goes on; nil while nothing is recorded.
    public var recordedLines: Int?
    /// Whether there is a recording that has ended, to be shared.
    public var hasRecording = false
    /// Whether the system has a page of settings for this app that can be opened.
    public var canOpenSettings = false

    public init() {}

    public func content(_ formats: Formats = Formats()) -> Screen<Action> {
        if let obstacle: ScreenItem<Action> = stage.obstacle() { return Screen("Camera", only: obstacle) }
        if let reason { return Screen("Camera", [obstacle(reason)]) }
        return Screen(
            "Camera",
            [
                ScreenSection(.picture, [.slot(.camera, "Camera picture")]), ScreenSection(.controls, controls),
                ScreenSection(.answers, answers(formats)), comparison(formats),
                ScreenSection(.tools, tools(formats)), speed(formats), ScreenSection(.settings, settings(formats)),
            ])
    }

    private var reason: Phrase? {
        if case .failed(let problem) = status.phase { problem.phrase } else { problem }
    }

    private func obstacle(_ reason: Phrase) -> ScreenSection<Action> {
        let isDenied = status.phase == .failed(.denied)
        return ScreenSection(
            .obstacle,
            [
                .unavailable("No live picture", symbol: "camera.badge.ellipsis", detail: reason),
                isDenied && canOpenSettings ? .button("Open Settings", .openSettings) : nil,
                .button("Try again", .retry),
            ])
    }

    private var controls: [ScreenItem<Action>?] {
        let camera = status.camera
        let zooms = (camera?.maximumZoom ?? 1) > 1
        return [
            status.phase == .paused ? .button("Resume", .resume) : .button("Pause", .pause),
            status.cameras.count > 1 ? .button("Switch camera", .nextCamera) : nil,
            camera?.hasTorch == true
                ? .button(status.isTorchOn ? "Light off" : "Light on", .torch(!status.isTorchOn)) : nil,
            zooms ? .button("Zoom out", .zoom(status.zoom / 1.5), isEnabled: status.zoom > 1) : nil,
            zooms
                ? .button(
                    "Zoom in", .zoom(status.zoom * 1.5), isEnabled: status.zoom < (camera?.maximumZoom ?? 1)) : nil,
        ]
    }

    private func answers(_ formats: Formats) -> [ScreenItem<Action>?] {
        let interruption: ScreenItem<Action>? =
            status.phase == .interrupted ? .remark("Another app is using the camera", symbol: "pause.circle") : nil
        guard let update else { return [interruption] }
        let classes: [ScreenItem<Action>?] = ScreenItem.predictions(update.top, formats)
        return [interruption, .verdict(update.top, threshold: threshold)] + classes
    }

    private func comparison(_ formats: Formats) -> ScreenSection<Action>? {
        guard let second = others.first(where: { $0.id == beside }) else { return nil }
        var items: [ScreenItem<Action>] = [.heading(.verbatim(second.title))]
        if let besideProblem {
            items.append(.remark(besideProblem, symbol: "exclamationmark.triangle"))
        } else if let other = update?.other {
            items += ScreenItem.predictions(Array(other.top.prefix(3)), formats)
            let agreement = other.agreement
            items += [
                .value("Same class", formats.percent(agreement.sameClass)),
                .value("Mean largest difference", formats.percent(agreement.meanDifference)),
                .value("First model", formats.latency(p50: agreement.first.p50, p95: agreement.first.p95)),
                .value("Second model", formats.latency(p50: agreement.second.p50, p95: agreement.second.p95)),
            ]
        } else {
            items.append(.progress("Preparing the model"))
        }
        return ScreenSection(.comparison, items)
    }

    private func tools(_ formats: Formats) -> [ScreenItem<Action>?] {
        let record: ScreenItem<Action> =
            recordedLines == nil
            ? .button("Record the answers", .record(true), symbol: "record.circle", isEnabled: update != nil)
            : .button("Stop recording", .record(false), symbol: "stop.circle")
        return [
            .button("Take a picture", .takePicture, symbol: "camera", isEnabled: status.phase == .running),
            .button("Copy the answer", .copy, symbol: "doc.on.doc", isEnabled: update != nil), record,
            recordedLines.map { .value("Recorded lines", formats.count($0)) },
            hasRecording && recordedLines == nil ? .slot(.share, "Share the recording") : nil,
            hasRecording && recordedLines == nil
                ? .button("Save the recording", .saveRecording, symbol: "square.and.arrow.down") : nil,
        ]
    }

    /// The thresholds that are offered, and the one that is kept should it be another.
    private func settings(_ formats: Formats) -> [ScreenItem<Action>?] {
        let thresholds = Set([0, 0.25, 0.5, 0.75, 0.9, threshold]).sorted()
        let none = ScreenItem<Action>.Option("None", .compare(nil), isChosen: !others.contains { $0.id == beside })
        return [
            .choice(
                "Sure from",
                thresholds.map {
                    .init(.verbatim(formats.percent($0)), .threshold($0), isChosen: $0 == threshold)
                }),
            others.isEmpty
                ? nil
                : .choice(
                    "Compare with",
                    [none]
                        + others.map { .init(.verbatim($0.title), .compare($0.id), isChosen: $0.id == beside) }),
        ]
    }

    private func speed(_ formats: Formats) -> ScreenSection<Action>? {
        guard let reading = update?.reading else { return nil }
        func row(_ title: Phrase, _ latency: LiveReading.Latency) -> ScreenItem<Action> {
            .value(title, formats.latency(p50: latency.p50, p95: latency.p95))
        }
        return ScreenSection(
            .speed,
            [
                row("Preparing the image", reading.preprocess), row("Prediction", reading.predict),
                row("Reading the answer", reading.postprocess), row("Together", reading.total),
                reading.framesPerSecond.map { .value("Frames per second", formats.rate($0)) },
                .value("Dropped frames", formats.count(reading.droppedFrames)),
            ])
    }
}

extension ScreenItem {
    /// The class in large letters, or that none is sure.
    static func verdict(_ predictions: [Prediction], threshold: Double) -> ScreenItem {
        switch Verdict(predictions, threshold: threshold) {
        case .sure(let prediction):
            .heading(.verbatim(ClassNames(of: predictions.top(5))[prediction.label].short))
        case .unsure: .heading("Unsure")
        }
    }

    /// Each class as a line; a probability beyond 0 to 1 is drawn as the nearest that is inside.
    ///
    /// With `withSynonyms` a class's other names are told too; where answers change all the time they would make the
    /// lines jump.
    static func predictions(
        _ predictions: [Prediction], _ formats: Formats, withSynonyms: Bool = false
    ) -> [ScreenItem] {
        let names = ClassNames(of: predictions)
        return predictions.map {
            let name = names[$0.label]
            return .prediction(
                label: name.short, synonyms: withSynonyms ? name.synonyms : nil,
                fraction: min(max($0.probability, 0), 1), reading: formats.percent($0.probability))
        }
    }
}
