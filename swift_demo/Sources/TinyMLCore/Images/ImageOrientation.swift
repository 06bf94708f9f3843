/// How stored pixels must be turned to stand upright; the raw values are those of EXIF.
public enum ImageOrientation: Int, Sendable, CaseIterable {
    case up = 1
    case upMirrored, down, downMirrored, leftMirrored, right, rightMirrored, left
}
