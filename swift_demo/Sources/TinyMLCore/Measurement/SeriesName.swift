/// The names of the series that a benchmark writes.
public enum SeriesName {
    /// Compiling the package.
    public static let compile = "compile_ns"
    /// The first load after compiling, which may include specializing the model for the device.
    public static let firstLoad = "load_ns"
    /// A load after that.
    public static let cachedLoad = "cached_load_ns"
    /// The first prediction after a load.
    public static let firstPredict = "first_prediction_ns"
    /// The prediction alone, back to back.
    public static let latency = "latency_ns"
    /// Making the input, back to back.
    public static let preprocess = "preprocess_ns"
    /// Reading the output, back to back.
    public static let postprocess = "postprocess_ns"
    /// The prediction alone, at the pace of a camera.
    public static let pacedLatency = "paced_latency_ns"
    /// The process's memory footprint before the model is loaded.
    public static let baselineMemory = "baseline_memory_bytes"
    /// The largest footprint seen after loading, after each round and at the end.
    public static let peakMemory = "peak_memory_bytes"
}
