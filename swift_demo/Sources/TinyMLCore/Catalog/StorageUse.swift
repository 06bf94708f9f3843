import Foundation

/// What the app's files take up on the device, in bytes.
public struct StorageUse: Hashable, Sendable {
    /// Models that were brought in; those of the app itself are part of the app.
    public let imported: Int
    /// What the system made of models for this device; made again when it is needed.
    public let compiled: Int
    /// Measured runs and recorded answers.
    public let records: Int

    public var total: Int { imported + compiled + records }

    public init(imported: Int, compiled: Int, records: Int) {
        self.imported = imported
        self.compiled = compiled
        self.records = records
    }

    /// Counts folders; what is not there takes up nothing.
    public init(imported: URL, compiled: Int, records: [URL]) throws {
        self.init(
            imported: try FileSize.bytes(of: imported), compiled: compiled,
            records: try records.reduce(0) { $0 + (try FileSize.bytes(of: $1)) })
    }
}
