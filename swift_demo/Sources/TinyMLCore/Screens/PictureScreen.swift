/// A picture with its answer: what was taken of the camera or opened as a photo, to be looked at, shared and saved.
public struct PictureScreen: Hashable, Sendable {
    public enum Action: Hashable, Sendable { case save, copy, done }

    public let caption: PhotoCaption
    public var predictions: [Prediction]
    /// Whether the picture was drawn, so that it can be shared.
    public var isDrawn = false
    public var problem: Phrase?

    public init(caption: PhotoCaption, predictions: [Prediction]) {
        self.caption = caption
        self.predictions = predictions
    }

    public func content(_ formats: Formats = Formats()) -> Screen<Action> {
        let classes: [ScreenItem<Action>?] = ScreenItem.predictions(predictions.top(5), formats, withSynonyms: true)
        return Screen(
            "Picture",
            [
                isDrawn ? ScreenSection(.picture, [.slot(.annotatedPhoto, "Picture with its answer")]) : nil,
                ScreenSection(
                    .answers,
                    [
                        problem.map { .remark($0, symbol: "exclamationmark.triangle") }, .heading(caption.headline),
                    ] + classes),
                ScreenSection(
                    .tools,
                    [
                        isDrawn ? .slot(.share, "Share the picture") : nil,
                        .button("Save the picture", .save, symbol: "square.and.arrow.down", isEnabled: isDrawn),
                        .button("Copy the answer", .copy, symbol: "doc.on.doc"), .button("Done", .done, role: .cancel),
                    ]),
            ])
    }
}
