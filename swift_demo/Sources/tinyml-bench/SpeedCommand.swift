import Foundation
import TinyMLCore

/// `speed`: what this package's own work costs, without any model: a camera's frame prepared, its answer told, a model
/// hashed.
enum SpeedCommand {
    /// The frames that live camera and benchmark prepare, and the bytes that an installed model is hashed by.
    private static let frame = PixelSize(width: 640, height: 480)
    private static let bytes = 1 << 20

    static func run(_ words: [String], output: inout some CommandOutput) throws {
        let arguments = try Arguments(words, options: ["--repeats"])
        guard arguments.files.isEmpty else { throw UsageError(description: "speed takes no file") }
        let repeats = try arguments.count("--repeats") ?? 20
        output.line("build\t\(isDebug ? "debug" : "release")")
        output.line("prepare_frame_ns\t\(try preparing(repeats))")
        output.line("tell_frame_of_200_classes_ns\t\(telling(repeats))")
        output.line("hash_1_mib_ns\t\(hashing(repeats))")
    }

    /// The middle time, in nanoseconds, of making a 64 x 64 input from a camera's frame.
    private static func preparing(_ repeats: Int) throws -> Int {
        let pixels = (0..<frame.width * frame.height * 4).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 1920) }
        var preprocessor = Preprocessor(Preprocess(inputSize: 64, resize: 64))
        return try pixels.withUnsafeBytes { raw in
            let source = try PixelSource(
                bytes: raw, width: frame.width, height: frame.height, bytesPerRow: frame.width * 4, format: .bgra)
            return median(repeats) { _ = preprocessor.input(from: source) }
        }
    }

    /// The middle time, in nanoseconds, of averaging over frames and sorting what a model says of 200 classes.
    private static func telling(_ repeats: Int) -> Int {
        let classes = (0..<200).map { Prediction(label: "class \($0)", probability: 1 / 200) }
        let frame = FrameClassification(
            predictions: classes, times: StageTimes(preprocess: 1, predict: 1, postprocess: 1))
        var reporter = LiveReporter()
        var arrival = 0
        return median(repeats) {
            arrival += 100_000_000
            _ = reporter.frame(arrival: arrival, frame)
        }
    }

    private static func hashing(_ repeats: Int) -> Int {
        let data = Data(repeating: 0xA5, count: bytes)
        return median(repeats) { _ = SHA256Digest.hex(data) }
    }

    private static func median(_ repeats: Int, _ work: () -> Void) -> Int {
        let clock = SystemClock()
        work()
        let samples = (0..<repeats).map { _ in
            let start = clock.now
            work()
            return clock.now - start
        }
        return samples.sorted()[repeats / 2]
    }

    private static var isDebug: Bool {
        #if DEBUG
        true
        #else
        false
        #endif
    }
}
