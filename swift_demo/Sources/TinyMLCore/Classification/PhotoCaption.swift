import Foundation

/// What is written under a photo that is shared: the answer, the next classes, and which model said so.
public struct PhotoCaption: Hashable, Sendable {
    /// The class's name; nil where none is sure enough.
    public let label: String?
    /// The best classes with their probabilities, best first.
    public let top: [Prediction]
    public let model: String
    private let names: ClassNames

    public init(_ predictions: [Prediction], threshold: Double, model: String) {
        let verdict = Verdict(predictions, threshold: threshold)
        top = predictions.top(3)
        names = ClassNames(of: top)
        if case .sure(let best) = verdict { label = names[best.label].short } else { label = nil }
        self.model = model
    }

    /// The class in large letters, or that none is sure.
    public var headline: Phrase { label.map(Phrase.verbatim) ?? "Unsure" }

    /// What stands below: the best classes with their probabilities, and the model.
    public func lines(_ formats: Formats = Formats()) -> [String] {
        top.map { "\(names[$0.label].short)  \(formats.percent($0.probability))" } + [model]
    }

    /// The answer as plain text, for copying: one class a line, with percent.
    public static func text(of predictions: [Prediction]) -> String {
        predictions.top(5).map { "\($0.label)\t\(String(format: "%.1f", $0.probability * 100)) %" }.joined(
            separator: "\n")
    }

    /// The name of a file to share, safe on every system.
    public var fileName: String {
        let safe = (label ?? "unsure").map { $0.isLetter || $0.isNumber ? $0 : "-" }
        return "\(String(safe).prefix(40)).png"
    }
}

/// The sizes of an annotated photo, all in pixels: the photo at most `widest` wide, a strip of text below it.
public struct CaptionLayout: Hashable, Sendable {
    public static let widest = 2048
    static let narrowest = 480

    public let photo: PixelSize
    public let strip: Int
    public let headline: Double
    public let line: Double

    /// The layout for a photo of the size `photo` and `lines` lines below the headline.
    ///
    /// Small photos are drawn larger, so that the text has room.
    public init(photo size: PixelSize, lines: Int) {
        let width = min(max(size.width, Self.narrowest), Self.widest)
        let height = max(1, Int((Double(size.height) * Double(width) / Double(size.width)).rounded()))
        photo = PixelSize(width: width, height: height)
        headline = Double(width) / 18
        line = Double(width) / 30
        strip = Int((headline * 1.6 + line * 1.4 * Double(lines) + headline * 0.6).rounded(.up))
    }
}

/// An upright photo with what a model says of it.
public struct CapturedPhoto: Hashable, Sendable {
    public let image: RGBImage
    public let predictions: [Prediction]

    public init(image: RGBImage, predictions: [Prediction]) {
        self.image = image
        self.predictions = predictions
    }
}

/// Asks the camera's queue for one frame, once for each request.
public final class CaptureRequest: Sendable {
    private let lock = NSLock()
    nonisolated(unsafe) private var isWanted = false

    public init() {}

    /// Asks for the next frame; asking twice before it comes asks for one.
    public func ask() { lock.withLock { isWanted = true } }

    /// Whether a frame is wanted; true once for each request.
    public func take() -> Bool {
        lock.withLock {
            defer { isWanted = false }
            return isWanted
        }
    }
}
