/// The photo screen: where photos come from, what the model sees of one, and what it says.
public struct PhotoScreen: Hashable, Sendable {
    public enum Action: Hashable, Sendable { case openFile }

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

    public var stage = LoadStage.none
    public var answer: Answer?
    public var problem: String?

    public init() {}

    public func content(_ formats: Formats = Formats()) -> Screen<Action> {
        if let obstacle: ScreenItem<Action> = stage.obstacle() { return Screen("Photo", only: obstacle) }
        return Screen(
            "Photo",
            [
                ScreenSection(
                    .sources,
                    [.slot(.photoLibrary, "Photo library"), .button("Open a file", .openFile, symbol: "folder")]),
                ScreenSection(.answers, answers(formats)),
            ])
    }

    private func answers(_ formats: Formats) -> [ScreenItem<Action>] {
        if let problem { return [.remark(.verbatim(problem), symbol: "exclamationmark.triangle")] }
        guard let answer else { return [.text("Choose a photo, open a file, or drop one here.")] }
        let predict = Double(answer.classification.times.predict) / 1e6
        return [
            .slot(.modelInput, "What the model sees"),
            .value("What the model sees", "\(answer.input.width) × \(answer.input.height)"),
        ] + answer.classification.top.map { .prediction($0, formats) } + [
            .value("Prediction", formats.milliseconds(predict))
        ]
    }
}
