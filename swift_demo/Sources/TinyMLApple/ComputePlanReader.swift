#if canImport(CoreML)
import CoreML
import Foundation
import TinyMLCore

/// Reads what Core ML plans for each operation of a compiled model.
@available(iOS 17.4, macOS 14.4, *)
public enum ComputePlanReader {
    /// The plan; nil for a model that is no ML Program.
    public static func plan(compiled: URL, units: Units) async throws -> ComputePlanSummary? {
        let configuration = MLModelConfiguration()
        configuration.computeUnits = units.coreML
        let plan = try await MLComputePlan.load(contentsOf: compiled, configuration: configuration)
        guard case .program(let program) = plan.modelStructure, let main = program.functions["main"] else {
            return nil
        }
        let operations = main.block.operations.enumerated().map { index, operation in
            PlannedOperation(
                id: index, name: operation.operatorName, device: device(plan.deviceUsage(for: operation)),
                cost: plan.estimatedCost(of: operation)?.weight)
        }
        return ComputePlanSummary(operations: operations)
    }

    private static func device(_ usage: MLComputePlan.DeviceUsage?) -> ComputeDevice {
        guard let usage else { return .unknown }
        return switch usage.preferred {
        case .cpu: .cpu
        case .gpu: .gpu
        case .neuralEngine: .neuralEngine
        @unknown default: .unknown
        }
    }
}
#endif
