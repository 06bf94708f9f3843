import Foundation

/// Older major versions of our files, made current: the same steps as `tinyml/upgrades.py`.
///
/// Version 2: a variant's compression is a list of kinds, each complete, and variants of both formats are named by one
/// grammar.
enum SchemaUpgrade {
    private typealias Record = [String: Any]

    private static let renamed = ["coreml-int8": "coreml-w8", "onnx-int8": "onnx-w8a8"]

    /// The content in the current version; nil for a version that is no longer read.
    static func current(_ json: Data, kind: String, from version: SchemaVersion) -> Data? {
        if version.major == SchemaVersion.current.major { return json }
        guard version.major == 1, let record = try? JSONSerialization.jsonObject(with: json) as? Record else {
            return nil
        }
        return try? JSONSerialization.data(withJSONObject: fromVersion1(record, kind: kind))
    }

    private static func fromVersion1(_ record: Record, kind: String) -> Record {
        switch kind {
        case "artifact": changing("variant", of: record, with: variant)
        case "bench_run": changingEach("results", of: record) { changing("case", of: $0, with: named) }
        default: record
        }
    }

    private static func variant(_ record: Record) -> Record {
        var record = record
        if let name = record["name"] as? String { record["name"] = renamed[name] ?? name }
        if let compression = record["compression"] as? Record { record["compression"] = kinds(compression) }
        return record
    }

    private static func named(_ record: Record) -> Record {
        var record = record
        if let name = record["variant"] as? String { record["variant"] = renamed[name] ?? name }
        return record
    }

    /// Version 1 wrote two methods: linear int8 weights (Core ML), and `qdq`, weights and activations in one (ONNX).
    private static func kinds(_ compression: Record) -> [Record] {
        let weights: Record = [
            "method": "linear", "bits": compression["bits"] as Any, "granularity": compression["granularity"] as Any,
        ]
        let activations: Record = ["method": "activations", "bits": 8, "percentile": 99.999, "images": 256]
        return switch compression["method"] as? String ?? "none" {
        case "none": []
        case "linear": [weights]
        case "qdq": [weights, activations]
        default: [compression]
        }
    }

    private static func changing(_ key: String, of record: Record, with change: (Record) -> Record) -> Record {
        guard let value = record[key] as? Record else { return record }
        return record.merging([key: change(value)]) { $1 }
    }

    private static func changingEach(_ key: String, of record: Record, with change: (Record) -> Record) -> Record {
        guard let values = record[key] as? [Record] else { return record }
        return record.merging([key: values.map(change)]) { $1 }
    }
}
