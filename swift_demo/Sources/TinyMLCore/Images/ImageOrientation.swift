/// How stored pixels must be turned to stand upright; the raw values are those of EXIF.
public enum ImageOrientation: Int, Sendable, CaseIterable {
    case up = 1
    case upMirrored, down, downMirrored, leftMirrored, right, rightMirrored, left

    /// The turn that `degrees` clockwise, a multiple of 90, make.
    public init(clockwiseDegrees degrees: Int) {
        self =
            switch ((degrees % 360) + 360) % 360 {
            case 45..<135: .right
            case 135..<225: .down
            case 225..<315: .left
            default: .up
            }
    }
}
