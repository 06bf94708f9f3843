/// The keys of one JSON object: exactly those that its type knows.
protocol FieldKey: CodingKey, CaseIterable {}

/// A rule that a value must meet, with its wording for the user.
struct Rule<Value>: Sendable {
    let requirement: Phrase
    let holds: @Sendable (Value) -> Bool
}

extension Rule where Value == Int {
    static var count: Rule { Rule(requirement: "must be at least 0") { $0 >= 0 } }
    static var positive: Rule { Rule(requirement: "must be at least 1") { $0 >= 1 } }

    static func among(_ allowed: Int...) -> Rule {
        Rule(requirement: Phrase("must be one of %@", allowed.map(String.init).joined(separator: ", "))) {
            allowed.contains($0)
        }
    }
}

extension Rule where Value == Double {
    static var fraction: Rule { Rule(requirement: "must lie in 0 to 1") { (0...1).contains($0) } }
    static var openFraction: Rule { Rule(requirement: "must lie between 0 and 1") { $0 > 0 && $0 < 1 } }
    static var percentile: Rule { Rule(requirement: "must lie in 0 to 100, above 0") { $0 > 0 && $0 <= 100 } }
    static var notNegative: Rule { Rule(requirement: "must be at least 0") { $0 >= 0 } }
    static var aboveZero: Rule { Rule(requirement: "must be above 0") { $0 > 0 } }
}

extension Rule where Value == String {
    static var sha256: Rule {
        Rule(requirement: "must be 64 hexadecimal digits in lower case") { text in
            text.utf8.count == 64 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        }
    }

    static var timestamp: Rule {
        Rule(requirement: "must be a moment like 2026-11-23T17:05:09Z") { text in
            let pattern = Array("0000-00-00T00:00:00Z".utf8)
            return text.utf8.count == pattern.count
                && zip(text.utf8, pattern).allSatisfy { $1 == 48 ? (48...57).contains($0) : $0 == $1 }
                && isMoment(text.split { !$0.isNumber }.compactMap { Int($0) })
        }
    }

    /// Whether year, month, day, hour, minute and second are ones that a clock shows.
    private static func isMoment(_ parts: [Int]) -> Bool {
        let (year, month) = (parts[0], parts[1])
        let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
        guard year > 0, (1...12).contains(month) else { return false }
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        return (1...days).contains(parts[2]) && parts[3] < 24 && parts[4] < 60 && parts[5] < 60
    }

    static var identifier: Rule {
        Rule(requirement: "must consist of letters, digits, dots, dashes and underscores") { text in
            !text.isEmpty && text.utf8.allSatisfy { isAlphanumeric($0) || [45, 46, 95].contains($0) }
        }
    }

    /// What people call a thing, fit for a line of a table.
    static var name: Rule {
        Rule(requirement: "must be a name of one line: not empty, no space at its ends, no slash") { text in
            guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else { return false }
            return !first.properties.isWhitespace && !last.properties.isWhitespace && text.unicodeScalars.count <= 255
                && text.unicodeScalars.allSatisfy(isOfAName)
        }
    }

    /// Whether a scalar ends no line, turns no direction of writing and parts no folders.
    private static func isOfAName(_ scalar: Unicode.Scalar) -> Bool {
        ![.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
            && !(0x202A...0x202E).contains(scalar.value) && !(0x2066...0x2069).contains(scalar.value)
            && !["/", "\\"].contains(scalar)
    }

    static var backendName: Rule {
        Rule(requirement: "must consist of small letters, digits and underscores") { text in
            !text.isEmpty
                && text.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 95 }
        }
    }

    static var seriesName: Rule {
        Rule(requirement: "must be lower case and end in _ns, _bytes or _uj") { text in
            guard let stem = ["_ns", "_bytes", "_uj"].first(where: text.hasSuffix).map({ text.dropLast($0.count) })
            else {
                return false
            }
            return !stem.isEmpty
                && stem.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 95 }
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
}

/// Reads the fields of one JSON object; keys that its type does not know are refused.
struct Fields<Key: FieldKey> {
    private let container: KeyedDecodingContainer<Key>

    /// Keys named in `others` may stand in the object too: somebody else reads them.
    init(_ decoder: any Decoder, _ keys: Key.Type, beside others: Set<String> = []) throws {
        let known = Set(keys.allCases.map(\.stringValue)).union(others)
        let found = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        if let unknown = found.filter({ !known.contains($0) }).min() {
            throw Self.problem("unknown key", at: decoder.codingPath + [AnyKey(stringValue: unknown)])
        }
        container = try decoder.container(keyedBy: keys)
    }

    /// The value of a field that must be there.
    func callAsFunction<T: Decodable>(_ key: Key, _ rule: Rule<T>? = nil) throws -> T {
        try checked(container.decode(T.self, forKey: key), rule, key)
    }

    /// The value of a field, or `fallback` where it is absent.
    func callAsFunction<T: Decodable>(_ key: Key, or fallback: T, _ rule: Rule<T>? = nil) throws -> T {
        container.contains(key) ? try self(key, rule) : fallback
    }

    /// The value of a field that may be null or absent.
    func optional<T: Decodable>(_ key: Key, _ rule: Rule<T>? = nil) throws -> T? {
        guard let value = try container.decodeIfPresent(T.self, forKey: key) else { return nil }
        return try checked(value, rule, key)
    }

    /// The value of a field that may be null but must be there.
    func nullable<T: Decodable>(_ key: Key, _ rule: Rule<T>? = nil) throws -> T? {
        guard container.contains(key) else { throw Self.problem("missing", at: container.codingPath + [key]) }
        return try optional(key, rule)
    }

    /// The values of a list whose every member meets `rule`.
    func list<T: Decodable>(_ key: Key, each rule: Rule<T>) throws -> [T] {
        try container.decode([T].self, forKey: key).map { try checked($0, rule, key) }
    }

    /// The values of a list whose every member meets `rule`, or `fallback` where it is absent.
    func list<T: Decodable>(_ key: Key, or fallback: [T], each rule: Rule<T>) throws -> [T] {
        container.contains(key) ? try list(key, each: rule) : fallback
    }

    /// The error for a rule about more than one field.
    func failure(_ phrase: Phrase) -> DecodingError {
        Self.problem(phrase, at: container.codingPath)
    }

    private func checked<T>(_ value: T, _ rule: Rule<T>?, _ key: Key) throws -> T {
        if let rule, !rule.holds(value) { throw Self.problem(rule.requirement, at: container.codingPath + [key]) }
        return value
    }

    private static func problem(_ phrase: Phrase, at path: [any CodingKey]) -> DecodingError {
        let problem = FieldProblem(phrase: phrase)
        return .dataCorrupted(
            DecodingError.Context(codingPath: path, debugDescription: problem.description, underlyingError: problem))
    }
}

/// What is wrong with a field, on its way through a decoder.
struct FieldProblem: ExplainedError {
    let phrase: Phrase
}

/// A key of any name.
private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
