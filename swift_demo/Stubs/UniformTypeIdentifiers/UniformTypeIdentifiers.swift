/// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct
public struct UTType: Hashable, Sendable {
    /// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct/json
    public static var json: UTType { stub() }
    /// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct/image
    public static var image: UTType { stub() }
    /// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct/png
    public static var png: UTType { stub() }
    /// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct/identifier
    public var identifier: String { stub() }
    /// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct/package
    public static var package: UTType { stub() }
    /// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct/zip
    public static var zip: UTType { stub() }
    /// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct/movie
    public static var movie: UTType { stub() }
    /// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct/commaseparatedtext
    public static var commaSeparatedText: UTType { stub() }
    /// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct/init(filenameextension:conformingto:)
    public init?(filenameExtension: String) { stub() }
    /// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct/conforms(to:)
    public func conforms(to type: UTType) -> Bool { stub() }
    /// https://developer.apple.com/documentation/uniformtypeidentifiers/uttype-swift.struct/folder
    public static var folder: UTType { stub() }
}
