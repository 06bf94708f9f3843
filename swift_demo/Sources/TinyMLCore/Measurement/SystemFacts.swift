import Foundation

#if canImport(Darwin)
import Darwin
#endif

/// What a process can learn of its machine without any framework but Foundation.
public enum SystemFacts {
    /// The hardware's model ("iPhone16,1", "Mac15,3"), or the CPU's name where there is no such thing.
    public static var machine: String {
        #if canImport(Darwin)
        // On a Mac hw.machine is the architecture, and hw.model the model; elsewhere it is the other way round.
        #if os(macOS)
        return text("hw.model") ?? "unknown Mac"
        #else
        return text("hw.machine") ?? "unknown device"
        #endif
        #else
        return cpu
        #endif
    }

    /// The CPU's name, as far as the system tells it.
    public static var cpu: String {
        #if canImport(Darwin)
        return text("machdep.cpu.brand_string") ?? text("hw.machine") ?? "unknown"
        #else
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        let name = lines.first { $0.hasPrefix("model name") }?.split(separator: ":", maxSplits: 1).last
        return name.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
        #endif
    }

    /// The system's build ("23F79"); nil where it has none.
    public static var osBuild: String? {
        #if canImport(Darwin)
        return text("kern.osversion")
        #else
        return nil
        #endif
    }

    /// "18.1", "15.0.1".
    public static var osVersion: String {
        let version = ProcessInfo.processInfo.operatingSystemVersion
        let patch = version.patchVersion == 0 ? "" : ".\(version.patchVersion)"
        return "\(version.majorVersion).\(version.minorVersion)\(patch)"
    }

    public static var os: MachineEnvironment.System {
        #if os(macOS)
        .macos
        #elseif os(Linux)
        .linux
        #elseif os(Windows)
        .windows
        #else
        .ios
        #endif
    }

    /// The language that this was compiled with.
    public static var runtime: String {
        #if compiler(>=6.4)
        "swift 6.4 or newer"
        #elseif compiler(>=6.3)
        "swift 6.3"
        #elseif compiler(>=6.2)
        "swift 6.2"
        #elseif compiler(>=6.1)
        "swift 6.1"
        #else
        "swift 6.0"
        #endif
    }

    /// The environment of a measurement on this machine.
    public static func environment(thermalState: ThermalState?, lowPowerMode: Bool?) -> MachineEnvironment {
        MachineEnvironment(
            machine: machine, os: os, osVersion: osVersion, osBuild: osBuild, cpu: cpu,
            cores: max(1, ProcessInfo.processInfo.processorCount),
            memoryBytes: max(1, Int(clamping: ProcessInfo.processInfo.physicalMemory)), runtime: runtime,
            thermalState: thermalState, lowPowerMode: lowPowerMode)
    }

    #if canImport(Darwin)
    private static func text(_ name: String) -> String? {
        var size = 0
        guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: size)
        guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    #endif
}
