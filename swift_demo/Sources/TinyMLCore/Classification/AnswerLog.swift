import Foundation

/// Writes what the camera screen says to a file, line by line as it is said: comma-separated values with a heading.
///
/// Each line reaches the file whole and at once, so that an app that ends leaves whole lines behind.
public final class AnswerLog {
    public let file: URL
    /// Lines after the heading.
    public private(set) var lines = 0
    private let handle: FileHandle
    private var start: Int?

    static let heading =
        "seconds,model,label,probability,sure,predict_ms,frames_per_second,dropped_frames,"
        + "second_model,second_label,second_probability,second_predict_ms,same_class"

    /// Begins a new file in `folder`, named after the moment.
    ///
    /// - Throws: Foundation's error where it cannot be written.
    public init(folder: URL, date: Date = Date()) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let written: String = date.formatted(.iso8601)
        let moment = written.filter { $0 != "-" && $0 != ":" }
        file = FreeName.file(in: folder, stem: "answers-\(moment)", pathExtension: "csv")
        try Data("\(Self.heading)\n".utf8).write(to: file)
        handle = try FileHandle(forWritingTo: file)
        try handle.seekToEnd()
    }

    /// Writes one line. `time` is nanoseconds of a monotonic clock; the first line's counts as 0.
    ///
    /// - Throws: Foundation's error where the disk is full or the file gone.
    public func add(_ update: LiveUpdate, model: String, second: String?, threshold: Double, at time: Int) throws {
        let begin = start ?? time
        start = begin
        let best = update.top.first
        var fields = [Self.decimal(Double(time - begin) / 1e9, 3), model, best?.label ?? ""]
        fields += [
            best.map { Self.decimal($0.probability, 6) } ?? "",
            best.map { $0.probability >= threshold ? "1" : "0" } ?? "0",
            Self.decimal(update.reading.predict.p50, 3),
            update.reading.framesPerSecond.map { Self.decimal($0, 2) } ?? "", "\(update.reading.droppedFrames)",
        ]
        if let other = update.other {
            let its = other.top.first
            fields += [
                second ?? "", its?.label ?? "", its.map { Self.decimal($0.probability, 6) } ?? "",
                Self.decimal(other.agreement.second.p50, 3), best?.label == its?.label ? "1" : "0",
            ]
        } else {
            fields += ["", "", "", "", ""]
        }
        try handle.write(contentsOf: Data((fields.map(Self.quoted).joined(separator: ",") + "\n").utf8))
        lines += 1
    }

    /// Ends the file.
    public func close() throws { try handle.close() }

    /// A number with a point, whatever the language: the file is for programs too.
    private static func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    /// A field as RFC 4180 has it.
    static func quoted(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"\(text.replacingOccurrences(of: "\"", with: "\"\""))\""
    }
}
