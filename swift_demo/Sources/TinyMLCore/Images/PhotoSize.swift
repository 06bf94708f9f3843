/// How large a photo is decoded.
public enum PhotoSize {
    /// The pixels up to which a photo is decoded as it is: 12 megapixels take 48 MB, 48 take 192.
    static let whole = 12_500_000
    /// The shorter side of what a larger one is reduced to: far more than any model here sees.
    static let shorterSide = 1024

    /// The longer side, in pixels, of the thumbnail that stands for a photo; nil where the photo itself will do.
    public static func thumbnail(of photo: PixelSize) -> Int? {
        let (width, height) = (photo.width, photo.height)
        guard width > 0, height > 0, Double(width) * Double(height) > Double(whole) else { return nil }
        let (shorter, longer) = (Double(min(width, height)), Double(max(width, height)))
        let reduced = (longer / shorter * Double(shorterSide)).rounded(.up)
        // A panorama is so long that its shorter side is all that can be kept.
        return Int(min(longer, reduced))
    }
}
