/// Antialiased bilinear resizing, equal to Pillow's: first along rows, rounded to eight bits, then along columns.
public struct Resampler: Sendable {
    private let horizontal: ResampleWeights
    private let vertical: ResampleWeights
    private let input: PixelSize
    private let window: PixelRect

    /// Resizes images of the size `input` to `output` and keeps of that only `window` (all, if nil).
    public init(from input: PixelSize, to output: PixelSize, window: PixelRect? = nil) {
        let window = window ?? PixelRect(x: 0, y: 0, width: output.width, height: output.height)
        self.input = input
        self.window = window
        horizontal = ResampleWeights(
            input: input.width, output: output.width, window: window.x..<(window.x + window.width))
        vertical = ResampleWeights(
            input: input.height, output: output.height, window: window.y..<(window.y + window.height))
    }

    /// Whether this resampler was made for images of the source's size.
    public func fits(_ source: PixelSource) -> Bool {
        input == PixelSize(width: source.width, height: source.height)
    }

    /// The resized (part of the) image; the source must have the size that this resampler was made for.
    public func resize(_ source: PixelSource) -> RGBImage {
        precondition(fits(source), "a resampler is made for one size")
        let rows = vertical.inputRange
        let narrow = resizeRows(of: source, rows: rows)
        return resizeColumns(of: narrow, firstRow: rows.lowerBound)
    }

    private func resizeRows(of source: PixelSource, rows: Range<Int>) -> [UInt8] {
        let width = window.width
        return [UInt8](unsafeUninitializedCapacity: rows.count * width * 3) { buffer, count in
            var place = 0
            for row in rows {
                for column in 0..<width {
                    var sum = Accumulator()
                    let first = horizontal.starts[column]
                    horizontal.weights[column].withUnsafeBufferPointer { weights in
                        source.sum(into: &sum.red, &sum.green, &sum.blue, from: first, row, weights: weights)
                    }
                    sum.store(in: buffer, at: place)
                    place += 3
                }
            }
            count = place
        }
    }

    private func resizeColumns(of narrow: [UInt8], firstRow: Int) -> RGBImage {
        let width = window.width
        let bytes = [UInt8](unsafeUninitializedCapacity: width * window.height * 3) { buffer, count in
            narrow.withUnsafeBufferPointer { narrow in
                for row in 0..<window.height {
                    let first = vertical.starts[row] - firstRow
                    let weights = vertical.weights[row]
                    for column in 0..<width {
                        var sum = Accumulator()
                        for index in weights.indices {
                            let from = ((first + index) * width + column) * 3
                            sum.add((narrow[from], narrow[from + 1], narrow[from + 2]), weight: weights[index])
                        }
                        sum.store(in: buffer, at: (row * width + column) * 3)
                    }
                }
            }
            count = width * window.height * 3
        }
        return RGBImage(checkedWidth: width, height: window.height, bytes: bytes)
    }
}

/// Three weighted sums that begin at one half, so that the shift rounds.
private struct Accumulator {
    var red: Int32 = 1 << (ResampleWeights.fractionBits - 1)
    var green: Int32 = 1 << (ResampleWeights.fractionBits - 1)
    var blue: Int32 = 1 << (ResampleWeights.fractionBits - 1)

    mutating func add(_ pixel: (red: UInt8, green: UInt8, blue: UInt8), weight: Int32) {
        red &+= Int32(pixel.red) &* weight
        green &+= Int32(pixel.green) &* weight
        blue &+= Int32(pixel.blue) &* weight
    }

    func store(in buffer: UnsafeMutableBufferPointer<UInt8>, at place: Int) {
        buffer[place] = UInt8(clamping: red >> ResampleWeights.fractionBits)
        buffer[place + 1] = UInt8(clamping: green >> ResampleWeights.fractionBits)
        buffer[place + 2] = UInt8(clamping: blue >> ResampleWeights.fractionBits)
    }
}
