#if canImport(SwiftUI)
import CoreGraphics
import Foundation
import SwiftUI
import TinyMLApple
import TinyMLCore

/// A photo drawn together with its caption, and the file that holds it.
@MainActor
struct DrawnPicture {
    let image: CGImage
    let file: URL
    let content: Data

    /// - Throws: `ImageError.unwritable` where the system draws nothing, or Foundation's error.
    init(_ photo: RGBImage, caption: PhotoCaption) throws {
        let lines = caption.lines()
        let layout = CaptionLayout(photo: PixelSize(width: photo.width, height: photo.height), lines: lines.count)
        guard let picture = photo.cgImage,
            let drawn = ImageRenderer(
                content: AnnotatedPhoto(picture: picture, headline: caption.headline, lines: lines, layout: layout)
            ).cgImage
        else { throw ImageError.unwritable(name: caption.fileName) }
        image = drawn
        file = try PNGFile.write(drawn, name: caption.fileName)
        content = try CoordinatedFile.data(at: file)
    }
}

/// The photo with a strip of text below it, one point a pixel. Black on white whatever the system's appearance: the
/// picture goes elsewhere.
private struct AnnotatedPhoto: View {
    let picture: CGImage
    let headline: Phrase
    let lines: [String]
    let layout: CaptionLayout

    var body: some View {
        VStack(alignment: .leading, spacing: 0) {
            Image(decorative: picture, scale: 1)
                .resizable()
                .frame(width: CGFloat(layout.photo.width), height: CGFloat(layout.photo.height))
            HStack {
                Spacer().frame(width: CGFloat(layout.line))
                VStack(alignment: .leading, spacing: CGFloat(layout.line * 0.2)) {
                    // A long name becomes smaller: the strip has room for these lines and no other.
                    Text(headline).font(.system(size: CGFloat(layout.headline)))
                        .lineLimit(1).minimumScaleFactor(0.3)
                    ForEach(lines.indices, id: \.self) { index in
                        Text(verbatim: lines[index]).font(.system(size: CGFloat(layout.line)))
                            .lineLimit(1).minimumScaleFactor(0.3)
                    }
                }
            }
            .foregroundStyle(Color.black)
            .frame(width: CGFloat(layout.photo.width), height: CGFloat(layout.strip), alignment: .leading)
        }
        .background(Color.white)
    }
}
#endif
