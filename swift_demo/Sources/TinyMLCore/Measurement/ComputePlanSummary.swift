/// A kind of compute device.
public enum ComputeDevice: String, Hashable, Sendable, CaseIterable {
    case cpu, gpu
    case neuralEngine = "neural_engine"
    case unknown
}

/// One operation of a model and the device that the framework prefers for it.
public struct PlannedOperation: Hashable, Sendable, Identifiable {
    /// The operation's place in the program.
    public let id: Int
    public let name: String
    public let device: ComputeDevice
    /// The estimated share of the whole model's cost, 0 to 1; nil where the framework gives none.
    public let cost: Double?

    public init(id: Int, name: String, device: ComputeDevice, cost: Double?) {
        self.id = id
        self.name = name
        self.device = device
        self.cost = cost
    }
}

/// What a compute plan says of a model: a preference before the run, not a trace of it.
public struct ComputePlanSummary: Hashable, Sendable {
    public let operations: [PlannedOperation]

    /// Constants, compressed ones (`constexpr_*`) too, are left out: they are made at load time, not executed.
    public init(operations: [PlannedOperation]) {
        self.operations = operations.filter { operation in
            let kind = operation.name.split(separator: ".").last ?? ""
            return kind != "const" && !kind.hasPrefix("constexpr_")
        }
    }

    public func count(on device: ComputeDevice) -> Int {
        operations.filter { $0.device == device }.count
    }

    public var placement: Placement {
        Placement(
            cpu: count(on: .cpu), gpu: count(on: .gpu), neuralEngine: count(on: .neuralEngine),
            unknown: count(on: .unknown))
    }
}
