#if canImport(CoreML)
import Darwin

/// What the kernel knows of this process.
enum ProcessFacts {
    /// Whether a debugger is attached (https://developer.apple.com/library/archive/qa/qa1361/).
    static var isTraced: Bool {
        var information = kinfo_proc()
        var size = MemoryLayout<kinfo_proc>.stride
        var name: [Int32] = [CTL_KERN, KERN_PROC, KERN_PROC_PID, getpid()]
        guard sysctl(&name, UInt32(name.count), &information, &size, nil, 0) == 0 else { return false }
        return information.kp_proc.p_flag & P_TRACED != 0
    }

    /// The memory that the system counts against the process, in bytes.
    static var memoryFootprint: Int? {
        var information = task_vm_info_data_t()
        let words = MemoryLayout<task_vm_info_data_t>.size / MemoryLayout<natural_t>.size
        var count = mach_msg_type_number_t(words)
        let code = withUnsafeMutablePointer(to: &information) { pointer in
            pointer.withMemoryRebound(to: integer_t.self, capacity: words) {
                task_info(task, task_flavor_t(TASK_VM_INFO), $0, &count)
            }
        }
        return code == KERN_SUCCESS ? Int(clamping: information.phys_footprint) : nil
    }

    /// Asked once: each call counts a further reference. The usual `mach_task_self_` is a global variable, which
    /// Swift 6 refuses as shared mutable state.
    private static let task = task_self_trap()
}
#endif
