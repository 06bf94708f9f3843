import Foundation
import Testing

@testable import TinyMLCore

/// The files that Python's tests read too.
struct SharedResultTests {
    @Test func validRunsComeBackAsTheyWere() throws {
        let files = try Fixtures.shared("v2")
        #expect(!files.isEmpty)
        for file in files {
            let original = try Data(contentsOf: file)
            let run = try BenchRun(json: original, name: file.lastPathComponent)
            #expect(try BenchRun(json: run.json(), name: "again") == run)
            let before = try #require(JSONSerialization.jsonObject(with: original) as? NSDictionary)
            let after = try #require(JSONSerialization.jsonObject(with: run.json()) as? NSDictionary)
            #expect(Self.keeps(before, in: after), "\(file.lastPathComponent)")
        }
    }

    /// Whether `after` says what `before` says; keys that it adds hold what their absence means.
    static func keeps(_ before: Any, in after: Any?) -> Bool {
        if let before = before as? [String: Any], let after = after as? [String: Any] {
            let added = after.filter { before[$0.key] == nil }.values
            return before.allSatisfy { keeps($0.value, in: after[$0.key]) } && added.allSatisfy(saysNothing)
        }
        if let before = before as? [Any], let after = after as? [Any] {
            return before.count == after.count && zip(before, after).allSatisfy(keeps)
        }
        return before as? NSObject == after as? NSObject
    }

    private static func saysNothing(_ value: Any) -> Bool {
        value is NSNull || (value as? [Any])?.isEmpty == true || (value as? [String: Any])?.isEmpty == true
    }

    @Test func invalidRunsAreRefused() throws {
        let files = try Fixtures.shared("invalid")
        #expect(!files.isEmpty)
        for file in files {
            #expect(throws: SchemaError.self, "\(file.lastPathComponent)") { try BenchRun(contentsOf: file) }
        }
    }

    @Test(arguments: [
        "accuracy-of-no-count": "an accuracy of 0.55 is no whole number of 10 images",
        "backend-without-name": "must consist of small letters, digits and underscores",
        "case-twice": "densenet coreml-fp16 on coreml cpu_only was measured more than once",
        "checksum-of-two-sizes": "have the same checksum, and not the same format and bytes",
        "elapsed-below-latencies": "a round took less time than its latencies together",
        "fewer-rounds-than-asked": "1 rounds of the 2 that the case asks for",
        "fewer-samples-than-asked": "fewer latencies than the case asks for, 3",
        "format-of-another-backend": "coreml runs no coreai model",
        "least-above-most": "at least 2.0 seconds were asked for, and at most 1.0",
        "made-tomorrow": "in the future by this device's clock", "model-as-a-path": "case.model: must be a name",
        "model-of-two-lines": "case.model: must be a name", "model-without-name": "case.model: must be a name",
        "more-rounds-than-asked": "2 rounds of the 1 that the case asks for",
        "no-record-of-rounds": "1 rounds of the 2 that the case asks for",
        "units-of-another-backend": "reference has no units 'cpu_only'",
        "units-of-another-format": "somebodys has no units 'cpu_only'",
        "variant-of-spaces": "case.variant: must be a name",
        "more-images-than-there-are": "more images were looked at than the split has",
        "no-such-day": "must be a moment like 2026-11-23T17:05:09Z",
        "not-run-with-accuracy": "has no series, no accuracy and no placement",
        "not-run-with-placement": "has no series, no accuracy and no placement",
        "peak-below-baseline": "the peak of the memory is below what it was before the model was loaded",
        "placement-miscounted": "a placement's counts are not those of its ops",
        "placement-of-nothing": "a placement is of at least one op", "series-twice": "two series have the same name",
        "top1-above-top5": "top-1 accuracy is above top-5 accuracy", "zero-latency": "must be at least 1",
    ])
    func aRunThatMakesNoSenseIsRefusedByItsOwnRule(name: String, problem: String) throws {
        let file = Fixtures.results.appendingPathComponent("invalid/\(name).json")
        let refusal = #expect(throws: SchemaError.self) { try BenchRun(contentsOf: file) }
        #expect(refusal?.description.contains(problem) == true, "\(String(describing: refusal))")
    }
}

/// Manifests with every field, written by the Python tool.
struct ManifestTests {
    @Test func anArtifactComesBackAsItWas() throws {
        let original = try Data(contentsOf: Fixtures.own.appendingPathComponent("artifact.json"))
        let artifact = try Artifact(json: original, name: "artifact.json")
        #expect(artifact.inputs.first?.shape == [nil, 3, 64, 64])
        #expect(try same(original, artifact.json()))
    }

    @Test func aGoldenComesBackAsItWas() throws {
        let original = try Data(contentsOf: Fixtures.own.appendingPathComponent("golden.json"))
        #expect(try same(original, Golden(json: original, name: "golden.json").json()))
    }

    @Test(
        arguments: [
            ("images", 99), ("split", "test"), ("mean_difference", 0.5), ("max_difference", -1),
            ("top5_agreement", 0.5),
        ] as [(String, any Sendable)])
    func aVerificationThatMakesNoSenseIsRefused(key: String, value: any Sendable) throws {
        let original = try Data(contentsOf: Fixtures.own.appendingPathComponent("artifact.json"))
        var record = try #require(JSONSerialization.jsonObject(with: original) as? [String: Any])
        var verification = try #require(record["verification"] as? [String: Any])
        verification[key] = value
        record["verification"] = verification
        let json = try JSONSerialization.data(withJSONObject: record)
        #expect(throws: SchemaError.self) { try Artifact(json: json, name: "artifact.json") }
    }

    @Test func accuracyAmongFiveMayBeLeftOut() throws {
        let json = #"{"split": "test", "top1": 0.5, "top5": null, "images": 2, "total": 2}"#
        let metrics = try JSONDecoder().decode(Metrics.self, from: Data(json.utf8))
        #expect(metrics.top5 == nil)
        #expect(String(decoding: try JSONEncoder().encode(metrics), as: UTF8.self).contains(#""top5":null"#))
    }

    @Test(
        arguments: [
            ("labels", ["cat"]), ("labels", ["cat", "cat"]), ("probabilities", [0.25, 0.75]), ("tolerance", -1),
        ] as [(String, any Sendable)])
    func aGoldenThatMakesNoSenseIsRefused(key: String, value: any Sendable) throws {
        let original = try Data(contentsOf: Fixtures.own.appendingPathComponent("golden.json"))
        var record = try #require(JSONSerialization.jsonObject(with: original) as? [String: Any])
        record[key] = value
        let json = try JSONSerialization.data(withJSONObject: record)
        #expect(throws: SchemaError.self) { try Golden(json: json, name: "golden.json") }
    }

    @Test func everyKindOfCompressionIsRead() throws {
        let artifact = try Artifact(contentsOf: Fixtures.own.appendingPathComponent("artifact.json"))
        let kinds = artifact.variant.compression
        #expect(kinds.map(\.method) == [.prune, .palette, .linear, .activations])
        guard case .linear(let linear) = kinds[2] else { return #expect(Bool(false), "the third kind is linear") }
        #expect(linear.settings.granularity == .perBlock && linear.settings.blockSize == 32)
        #expect(linear.overrides["patch"]??.bits == 8)
        #expect(linear.endsBits == 8)
        #expect(linear.overrides["head"] == .some(.none))
    }

    @Test(arguments: [
        #"{"method": "linear", "bits": 5}"#, #"{"method": "linear", "bits": 4, "granularity": "per_block"}"#,
        #"{"method": "linear", "bits": 8, "block_size": 32}"#, #"{"method": "palette", "bits": 5}"#,
        #"{"method": "linear", "bits": 2, "ends_bits": 4}"#, #"{"method": "prune", "sparsity": 0.5, "ends_bits": 8}"#,
        #"{"method": "palette", "bits": 4, "group_size": 8}"#, #"{"method": "prune"}"#,
        #"{"method": "prune", "sparsity": 0.5, "pattern": {"zeros": 2, "of": 4}}"#,
        #"{"method": "prune", "pattern": {"zeros": 4, "of": 4}}"#, #"{"method": "activations", "bits": 4}"#,
        #"{"method": "activations", "percentile": 0}"#, #"{"method": "none"}"#, #"{"bits": 8}"#,
        #"{"method": "linear", "bits": 8, "group_size": 4}"#,
    ])
    func anIncompleteCompressionIsRefused(json: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Compression.self, from: Data(json.utf8))
        }
    }

    private func same(_ one: Data, _ other: Data) throws -> Bool {
        try JSONSerialization.jsonObject(with: one) as? NSDictionary
            == JSONSerialization.jsonObject(with: other) as? NSDictionary
    }
}

/// Files of version 1, and what Python's upgrade makes of them.
struct UpgradeTests {
    @Test func artifactsOfVersionOneAreRead() throws {
        let names = ["coreml-fp16": "coreml-fp16", "coreml-int8": "coreml-w8", "onnx-int8": "onnx-w8a8"]
        for (before, after) in names {
            let old = try Artifact(contentsOf: Fixtures.artifacts.appendingPathComponent("v1/\(before).json"))
            let new = try Artifact(contentsOf: Fixtures.artifacts.appendingPathComponent("v2/\(after).json"))
            #expect(old == new)
            #expect(old.variant.name == after)
        }
    }

    @Test func runsOfVersionOneAreRead() throws {
        let files = try Fixtures.shared("v1")
        #expect(!files.isEmpty)
        for file in files {
            let new = Fixtures.results.appendingPathComponent("v2").appendingPathComponent(file.lastPathComponent)
            #expect(try BenchRun(contentsOf: file) == BenchRun(contentsOf: new), "\(file.lastPathComponent)")
        }
    }
}

struct SchemaTests {
    private let zeros = String(repeating: "0", count: 64)

    private func catalog(version: String = "2.0", kind: String = "app_catalog", extra: String = "") -> Data {
        Data(
            """
            {"schema_version": "\(version)", "kind": "\(kind)", \(extra)
             "models": [{"folder": "vit-coreml-fp16", "artifact_sha256": "\(zeros)"}],
             "provenance": {"created_at": "2026-11-23T17:05:09Z", "command": "test", "tool_version": "0.1.0"}}
            """.utf8)
    }

    private func refusal(_ json: Data) -> SchemaError? {
        #expect(throws: SchemaError.self) { try CatalogFile(json: json, name: "x.json") }
    }

    @Test func aFileOfThisVersionIsRead() throws {
        #expect(try CatalogFile(json: catalog(), name: "x.json").models.map(\.folder) == ["vit-coreml-fp16"])
    }

    @Test(arguments: ["2.2", "3.0", "10.0"])
    func aNewerVersionIsRefused(version: String) {
        let error = refusal(catalog(version: version, extra: "\"new\": 1,"))
        #expect(
            error?.description
                == "x.json was written by a newer tinyml (schema \(version)): this one reads up to 2.1")
    }

    @Test(arguments: ["1", "1.0.0", "one", "-1.0", "", "1.+1"])
    func aVersionThatIsNoneIsRefused(version: String) {
        #expect(refusal(catalog(version: version)) == .noVersion(file: "x.json"))
    }

    @Test func anOlderMajorVersionIsRefused() {
        #expect(refusal(catalog(version: "0.9")) == .tooOld(file: "x.json", version: "0.9"))
    }

    @Test func anotherKindIsRefused() {
        let expected = SchemaError.wrongKind(file: "x.json", found: "golden", expected: "app_catalog")
        #expect(refusal(catalog(kind: "golden")) == expected)
    }

    @Test func anUnknownKeyIsRefusedWithItsPlace() {
        let expected = SchemaError.doesNotFit(file: "x.json", place: "color", problem: "unknown key")
        #expect(refusal(catalog(extra: "\"color\": 1,")) == expected)
    }

    @Test(arguments: ["", "[]", "{", "\"text\"", "1"])
    func whatIsNoObjectIsRefused(text: String) {
        #expect(refusal(Data(text.utf8)) == .notJSON(file: "x.json"))
    }

    @Test func aNameThatLeavesItsFolderIsRefused() throws {
        let text = String(decoding: catalog(), as: UTF8.self)
        let error = refusal(Data(text.replacingOccurrences(of: "vit-coreml-fp16", with: "../x").utf8))
        #expect(error?.description.hasPrefix("x.json does not fit its schema: models.0.folder: must consist") == true)
    }

    @Test(arguments: [
        ("latency_ns", true), ("a_b2_bytes", true), ("_ns", false), ("latency_ms", false), ("Latency_ns", false),
    ])
    func seriesNamesEndInTheirUnit(name: String, isAllowed: Bool) {
        #expect(Rule.seriesName.holds(name) == isAllowed)
    }

    @Test(arguments: [("2026-11-23T17:05:09Z", true), ("2026-11-23T17:05:09", false), ("2026-11-23 17:05:09Z", false)])
    func timestampsAreToTheSecond(text: String, isAllowed: Bool) {
        #expect(Rule.timestamp.holds(text) == isAllowed)
    }
}
