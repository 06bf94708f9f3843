import Foundation

/// Does `work` and frees what Apple's frameworks left to be freed later: on a queue that is never idle that would
/// otherwise pile up and count as the model's memory.
func drained<Result>(_ work: () throws -> Result) rethrows -> Result {
    #if canImport(ObjectiveC)
    try autoreleasepool(invoking: work)
    #else
    try work()
    #endif
}
