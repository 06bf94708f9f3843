@_exported import Glibc

/// https://developer.apple.com/documentation/kernel/natural_t
public typealias natural_t = UInt32
/// https://developer.apple.com/documentation/kernel/integer_t
public typealias integer_t = Int32
/// https://developer.apple.com/documentation/kernel/mach_msg_type_number_t
public typealias mach_msg_type_number_t = natural_t
/// https://developer.apple.com/documentation/kernel/mach_port_name_t
public typealias mach_port_name_t = natural_t
/// https://developer.apple.com/documentation/kernel/task_flavor_t
public typealias task_flavor_t = natural_t
/// https://developer.apple.com/documentation/kernel/kern_return_t
public typealias kern_return_t = Int32
/// https://developer.apple.com/documentation/kernel/kern_return_t
public let KERN_SUCCESS: kern_return_t = 0
/// https://developer.apple.com/documentation/kernel/task_vm_info_data_t
public let TASK_VM_INFO: Int32 = 0
/// https://developer.apple.com/documentation/kernel/1387446-sysctlbyname
public let CTL_KERN: Int32 = 0
/// https://developer.apple.com/documentation/kernel/1387446-sysctlbyname
public let KERN_PROC: Int32 = 0
/// https://developer.apple.com/documentation/kernel/1387446-sysctlbyname
public let KERN_PROC_PID: Int32 = 0
/// https://developer.apple.com/documentation/kernel/kinfo_proc
public let P_TRACED: Int32 = 0

/// https://developer.apple.com/documentation/kernel/task_vm_info_data_t
@frozen public struct task_vm_info_data_t {
    /// https://developer.apple.com/documentation/kernel/task_vm_info_data_t
    public var phys_footprint: UInt64 = 0
    /// https://developer.apple.com/documentation/kernel/task_vm_info_data_t
    public init() {}
}

/// https://developer.apple.com/documentation/kernel/extern_proc
@frozen public struct extern_proc {
    /// https://developer.apple.com/documentation/kernel/extern_proc
    public var p_flag: Int32 = 0
    /// https://developer.apple.com/documentation/kernel/extern_proc
    public init() {}
}

/// https://developer.apple.com/documentation/kernel/kinfo_proc
@frozen public struct kinfo_proc {
    /// https://developer.apple.com/documentation/kernel/kinfo_proc
    public var kp_proc = extern_proc()
    /// https://developer.apple.com/documentation/kernel/kinfo_proc
    public init() {}
}

/// https://developer.apple.com/documentation/kernel/1402515-task_self_trap
public func task_self_trap() -> mach_port_name_t { stub() }
/// https://developer.apple.com/documentation/kernel/1537934-task_info
public func task_info(
    _ target: mach_port_name_t, _ flavor: task_flavor_t, _ information: UnsafeMutablePointer<integer_t>?,
    _ count: UnsafeMutablePointer<mach_msg_type_number_t>?
) -> kern_return_t { stub() }
/// https://developer.apple.com/documentation/kernel/1387446-sysctlbyname
public func sysctl(
    _ name: UnsafeMutablePointer<Int32>?, _ length: UInt32, _ old: UnsafeMutableRawPointer?,
    _ oldSize: UnsafeMutablePointer<Int>?, _ new: UnsafeMutableRawPointer?, _ newSize: Int
) -> Int32 { stub() }
/// https://developer.apple.com/documentation/kernel/1387446-sysctlbyname
public func sysctlbyname(
    _ name: UnsafePointer<CChar>?, _ old: UnsafeMutableRawPointer?, _ oldSize: UnsafeMutablePointer<Int>?,
    _ new: UnsafeMutableRawPointer?, _ newSize: Int
) -> Int32 { stub() }
