/// For each output pixel along one axis, the input pixels that it blends and their weights.
///
/// The triangle filter is widened by the scale when it shrinks, so that nothing is skipped (antialiasing). Weights are
/// integers of 22 fractional bits, so that results equal Pillow's `Image.resize(..., BILINEAR)`
/// (https://pillow.readthedocs.io/en/stable/handbook/concepts.html#filters) to the last bit.
struct ResampleWeights {
    static let fractionBits = 22

    /// The first input pixel of each output pixel.
    let starts: [Int]
    /// The weights of each output pixel, from its first input pixel on.
    let weights: [[Int32]]

    /// The weights of the output pixels in `window` when `input` pixels become `output`.
    init(input: Int, output: Int, window: Range<Int>) {
        let scale = Double(input) / Double(output)
        let support = max(scale, 1)
        var starts: [Int] = []
        var weights: [[Int32]] = []
        for place in window {
            let center = (Double(place) + 0.5) * scale
            let first = max(0, Int(center - support + 0.5))
            let end = min(input, Int(center + support + 0.5))
            let raw = (first..<end).map { max(0, 1 - abs((Double($0) - center + 0.5) / support)) }
            let sum = raw.reduce(0, +)
            let one = Double(1 << Self.fractionBits)
            starts.append(first)
            weights.append(raw.map { Int32(0.5 + $0 / sum * one) })
        }
        self.starts = starts
        self.weights = weights
    }

    /// The input pixels that any output pixel needs.
    var inputRange: Range<Int> {
        let end = zip(starts, weights).map { $0 + $1.count }.max() ?? 0
        return (starts.min() ?? 0)..<end
    }
}
