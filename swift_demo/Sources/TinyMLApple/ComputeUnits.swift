#if canImport(CoreML)
import CoreML
import TinyMLCore

extension Units {
    /// Core ML's name for these compute units; what Core ML does not know counts as all of them.
    var coreML: MLComputeUnits {
        switch self {
        case .cpuOnly, .cpu: .cpuOnly
        case .cpuAndGPU: .cpuAndGPU
        case .cpuAndNeuralEngine: .cpuAndNeuralEngine
        case .all, .coreml, .mps, .cuda: .all
        }
    }
}
#endif
