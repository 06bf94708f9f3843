/// How the camera screen uses its room: the answers beside the picture where it is wider than high, below it otherwise.
public struct LiveArrangement: Hashable, Sendable {
    public enum Direction: Hashable, Sendable { case beside, below }

    /// The picture and what steers it, which stay in sight.
    public static let picture: [ScreenPart] = [.picture, .controls]
    /// What scrolls.
    public static let answers: [ScreenPart] = [.answers, .comparison, .tools, .speed, .settings]

    public let direction: Direction

    /// The arrangement in a room of that size, in points.
    public init(width: Double, height: Double) {
        direction = width > height ? .beside : .below
    }
}
