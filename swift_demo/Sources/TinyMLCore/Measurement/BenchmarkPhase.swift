/// What a benchmark is doing just now.
public enum BenchmarkPhase: Hashable, Sendable {
    /// Waits for the device to cool down.
    case cooling(secondsLeft: Int)
    /// Compiles and loads.
    case loading(Units)
    case warmingUp(Units)
    case burst(Units, round: Int, of: Int)
    case paced(Units, second: Int, of: Int)
    case finished
}
