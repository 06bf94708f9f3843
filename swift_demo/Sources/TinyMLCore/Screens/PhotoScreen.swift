/// The photo screen: where photos and videos come from, what the model sees of one, and what it says.
public struct PhotoScreen: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        case openFile, annotate, copy
        case stopVideo, saveTable
    }

    /// One classified photo.
    public struct Answer: Hashable, Sendable {
        /// The image that the model saw, at its own size.
        public let input: RGBImage
        public let classification: FrameClassification

        public init(input: RGBImage, classification: FrameClassification) {
            self.input = input
            self.classification = classification
        }
    }

    /// A video file, instead of a photo.
    public enum Video: Hashable, Sendable {
        /// The share that was looked at, 0 to 1.
        case looking(name: String, share: Double)
        case seen(name: String, VideoTimeline)
    }

    public var stage = LoadStage.none
    public var answer: Answer?
    public var video: Video?
    public var problem: Phrase?
    /// The probability from which on a class is told, 0 to 1.
    public var threshold = 0.5

    public init() {}

    public func content(_ formats: Formats = Formats()) -> Screen<Action> {
        if let obstacle: ScreenItem<Action> = stage.obstacle() { return Screen("Photo", only: obstacle) }
        return Screen(
            "Photo",
            [
                ScreenSection(
                    .sources,
                    [
                        .slot(.photoLibrary, "Photo library"),
                        .button("Open a photo or video file", .openFile, symbol: "folder"),
                    ]), ScreenSection(.answers, answers(formats)),
            ])
    }

    private func answers(_ formats: Formats) -> [ScreenItem<Action>] {
        if let problem { return [.remark(problem, symbol: "exclamationmark.triangle")] }
        switch video {
        case .looking(let name, let share):
            return [
                .heading(.verbatim(name)),
                .progress("Looking at the video", detail: .verbatim(formats.percent(share))),
                .button("Stop", .stopVideo, role: .cancel),
            ]
        case .seen(let name, let timeline): return told(timeline, name, formats)
        case nil: break
        }
        guard let answer else { return [.text("Choose a photo, open a file, or drop one here.")] }
        return told(answer, formats)
    }

    private func told(_ answer: Answer, _ formats: Formats) -> [ScreenItem<Action>] {
        let predict = Double(answer.classification.times.predict) / 1e6
        let predictions = ScreenItem<Action>.predictions(answer.classification.top, formats, withSynonyms: true)
        return [
            .verdict(answer.classification.top, threshold: threshold), .slot(.modelInput, "What the model sees"),
            .value("What the model sees", "\(answer.input.width) × \(answer.input.height)"),
        ] + predictions + [
            .value("Prediction", formats.milliseconds(predict)),
            .button("Copy the answer", .copy, symbol: "doc.on.doc"),
            .button("Picture with its answer", .annotate, symbol: "photo"),
        ]
    }

    /// One line for each stretch of a video with one answer.
    private func told(_ timeline: VideoTimeline, _ name: String, _ formats: Formats) -> [ScreenItem<Action>] {
        let names = ClassNames(of: timeline.samples.compactMap(\.top.first))
        let stretches: [ScreenItem<Action>] = timeline.segments(threshold: threshold).map { segment in
            let probability = Phrase.verbatim(formats.percent(segment.probability))
            return .row(
                title: "\(formats.playingTime(segment.start))–\(formats.playingTime(segment.end))",
                detail: .list([segment.label.map { .verbatim(names[$0].short) } ?? "Unsure", probability]),
                isChosen: false,
                action: nil)
        }
        return [.heading(.verbatim(name)), .value("Length", formats.playingTime(timeline.duration))] + stretches + [
            .slot(.share, "Share the table"),
            .button("Save the table", .saveTable, symbol: "square.and.arrow.down"),
        ]
    }
}
