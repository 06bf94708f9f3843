import Foundation

/// Records what the camera screen says for as long as the user wants it.
public final class AnswerRecorder {
    private let recordings: AnswerRecordings
    private let clock: any BenchmarkClock
    private var log: AnswerLog?
    /// The newest recording that has ended with at least one line.
    public private(set) var finished: URL?

    public init(_ recordings: AnswerRecordings, clock: any BenchmarkClock = SystemClock()) {
        self.recordings = recordings
        self.clock = clock
    }

    /// The lines of the recording that goes on; nil while nothing is recorded.
    public var lines: Int? { log?.lines }

    /// Begins a recording, where none goes on.
    ///
    /// - Throws: Foundation's error where it cannot be written.
    public func begin() throws {
        if log == nil { log = try recordings.begin() }
    }

    /// Writes what is on the screen now, if that is wanted. A recording that cannot be written ends.
    ///
    /// - Throws: Foundation's error where the disk is full or the file gone.
    public func take(_ update: LiveUpdate, model: String, second: String?, threshold: Double) throws {
        guard let log else { return }
        do {
            try log.add(update, model: model, second: second, threshold: threshold, at: clock.now)
        } catch {
            _ = try? end()
            throw error
        }
    }

    /// Ends the recording; one without a line is deleted.
    ///
    /// - Throws: Foundation's error where the file cannot be closed.
    public func end() throws {
        guard let log else { return }
        self.log = nil
        if log.lines > 0 {
            finished = log.file
        } else {
            try recordings.remove(log.file.lastPathComponent)
        }
        try log.close()
    }
}
