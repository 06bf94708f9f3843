import Foundation
import Testing

@testable import TinyMLCore

struct ComputePlanTests {
    @Test func constantsAreNotExecuted() {
        let operations = [
            ("const", ComputeDevice.unknown), ("ios16.const", .unknown), ("ios16.conv", .neuralEngine),
            ("softmax", .cpu), ("ios16.constexpr_affine_dequantize", .unknown), ("constexpr_lut_to_dense", .cpu),
        ].enumerated().map { PlannedOperation(id: $0, name: $1.0, device: $1.1, cost: nil) }
        let plan = ComputePlanSummary(operations: operations)
        #expect(plan.operations.map(\.name) == ["ios16.conv", "softmax"])
        #expect(plan.placement == Placement(cpu: 1, gpu: 0, neuralEngine: 1))
    }

    /// The ops of the model that the app comes with, most of them weights and what unpacks them.
    @Test func theShippedModelsWeightsAreNotCounted() throws {
        struct File: Decodable { let operations: [String: Int] }
        let file = try JSONDecoder().decode(
            File.self, from: Data(contentsOf: Fixtures.own.appendingPathComponent("operations.json")))
        let names = file.operations.flatMap { [String](repeating: $0.key, count: $0.value) }
        let plan = ComputePlanSummary(
            operations: names.enumerated().map { PlannedOperation(id: $0, name: $1, device: .cpu, cost: nil) })
        #expect(names.filter { $0.contains("constexpr") }.count > 10, "its weights are compressed")
        #expect(!plan.operations.contains { $0.name.contains("const") })
        #expect(plan.placement.cpu == names.filter { !$0.contains("const") }.count)
        #expect(plan.placement.cpu > 10)
    }
}

struct RunComparisonTests {
    @Test func everyBenchmarkWritesWhatCompareReads() {
        let results = SimulatedBenchmark.results(plan: .quick)
        let environment = SystemFacts.environment(thermalState: nil, lowPowerMode: nil)
        let run = BenchRun(results: results, plan: .quick, environment: environment, command: "test")
        let comparison = RunComparison(run, run)
        #expect(comparison.differences.isEmpty)
        #expect(comparison.rows.count == 2)
        #expect(comparison.rows.map(\.ratio) == [1, 1])
    }
}
