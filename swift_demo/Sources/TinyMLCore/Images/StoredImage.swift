/// An image as a file holds it, and how it must be turned to stand upright.
public struct StoredImage: Hashable, Sendable {
    public let image: RGBImage
    public let orientation: ImageOrientation

    public init(image: RGBImage, orientation: ImageOrientation) {
        self.image = image
        self.orientation = orientation
    }
}
