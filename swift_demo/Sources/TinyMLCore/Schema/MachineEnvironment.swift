/// The heat of a device, as its system reports it.
public enum ThermalState: String, Codable, Sendable, Comparable, CaseIterable {
    case nominal, fair, serious, critical

    public static func < (left: ThermalState, right: ThermalState) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// The machine and its software, as far as they decide a measurement.
public struct MachineEnvironment: Codable, Hashable, Sendable {
    public enum System: String, Codable, Sendable { case linux, macos, ios, windows }

    /// The hardware's model ("Mac15,3", "iPhone16,1") or the CPU's name.
    public let machine: String
    public let os: System
    public let osVersion: String
    public let osBuild: String?
    public let cpu: String
    public let cores: Int
    public let memoryBytes: Int
    /// The language and its version ("swift 6.3.1").
    public let runtime: String
    public let packages: [String: String]
    public let thermalState: ThermalState?
    public let lowPowerMode: Bool?
    /// How the system sets the clock ("performance", "powersave"); nil: it does not tell.
    public let governor: String?
    public let onBattery: Bool?
    /// Another device beside this machine on which all of it was measured; nil: none.
    public let device: String?

    public init(
        machine: String, os: System, osVersion: String, osBuild: String?, cpu: String, cores: Int, memoryBytes: Int,
        runtime: String, packages: [String: String] = [:], thermalState: ThermalState?, lowPowerMode: Bool?,
        governor: String? = nil, onBattery: Bool? = nil, device: String? = nil
    ) {
        self.machine = machine
        self.os = os
        self.osVersion = osVersion
        self.osBuild = osBuild
        self.cpu = cpu
        self.cores = cores
        self.memoryBytes = memoryBytes
        self.runtime = runtime
        self.packages = packages
        self.thermalState = thermalState
        self.lowPowerMode = lowPowerMode
        self.governor = governor
        self.onBattery = onBattery
        self.device = device
    }

    enum CodingKeys: String, FieldKey {
        case machine, os
        case osVersion = "os_version"
        case osBuild = "os_build"
        case cpu, cores
        case memoryBytes = "memory_bytes"
        case runtime, packages
        case thermalState = "thermal_state"
        case lowPowerMode = "low_power_mode"
        case governor
        case onBattery = "on_battery"
        case device
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, CodingKeys.self)
        machine = try fields(.machine)
        os = try fields(.os)
        osVersion = try fields(.osVersion)
        osBuild = try fields.optional(.osBuild)
        cpu = try fields(.cpu)
        cores = try fields(.cores, .positive)
        memoryBytes = try fields(.memoryBytes, .positive)
        runtime = try fields(.runtime)
        packages = try fields(.packages, or: [:])
        thermalState = try fields.optional(.thermalState)
        lowPowerMode = try fields.optional(.lowPowerMode)
        governor = try fields.optional(.governor)
        onBattery = try fields.optional(.onBattery)
        device = try fields.optional(.device)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(machine, forKey: .machine)
        try container.encode(os, forKey: .os)
        try container.encode(osVersion, forKey: .osVersion)
        try container.encode(osBuild, forKey: .osBuild)
        try container.encode(cpu, forKey: .cpu)
        try container.encode(cores, forKey: .cores)
        try container.encode(memoryBytes, forKey: .memoryBytes)
        try container.encode(runtime, forKey: .runtime)
        try container.encode(packages, forKey: .packages)
        try container.encode(thermalState, forKey: .thermalState)
        try container.encode(lowPowerMode, forKey: .lowPowerMode)
        try container.encode(governor, forKey: .governor)
        try container.encode(onBattery, forKey: .onBattery)
        try container.encode(device, forKey: .device)
    }
}
