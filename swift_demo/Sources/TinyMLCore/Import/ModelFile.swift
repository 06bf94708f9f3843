import Foundation

/// What a Core ML model file says of itself, read without Core ML: its image input and its metadata.
///
/// The file is a message of Protocol Buffers; only the fields that matter here are looked at
/// (https://apple.github.io/coremltools/mlmodel/Format/Model.html).
struct ModelFile: Hashable, Sendable {
    /// The size of the image input in pixels; nil where the model takes none.
    let input: PixelSize?
    /// Whether the image input has one channel only.
    let isGray: Bool
    /// Whether it names the probabilities of its classes.
    let isClassifier: Bool
    let metadata: [String: String]

    /// Reads a `.mlmodel` file's bytes.
    ///
    /// - Throws: `ModelImportError.notAModel` where they are something else.
    init(_ bytes: Data, name: String) throws {
        guard let model = Message(bytes), model.number(1) != nil, let description = model.message(2) else {
            throw ModelImportError.notAModel(name: name)
        }
        let images = description.messages(1).compactMap { $0.message(3)?.message(4) }
        input = images.first.flatMap { image in
            guard let width = image.number(1), let height = image.number(2), width > 0, height > 0 else { return nil }
            return PixelSize(width: width, height: height)
        }
        isGray = images.first?.number(3) == 10
        isClassifier = description.text(12)?.isEmpty == false
        var metadata: [String: String] = [:]
        for pair in description.message(100)?.messages(100) ?? [] {
            if let key = pair.text(1), let value = pair.text(2) { metadata[key] = value }
        }
        self.metadata = metadata
    }

    /// Reads the model file of a `.mlpackage`, which its manifest names.
    ///
    /// - Throws: `ModelImportError`, or Foundation's error where a file cannot be read.
    init(package: URL) throws {
        let name = package.lastPathComponent
        let manifest = try Data(contentsOf: package.appendingPathComponent("Manifest.json"))
        guard let content = try? JSONDecoder().decode(PackageManifest.self, from: manifest),
            let path = content.itemInfoEntries[content.rootModelIdentifier]?.path, ZipArchive.isSafe(path)
        else { throw ModelImportError.notAModel(name: name) }
        let file = package.appendingPathComponent("Data").appendingPathComponent(path)
        try self.init(Data(contentsOf: file, options: .mappedIfSafe), name: name)
    }

    private struct PackageManifest: Decodable {
        struct Item: Decodable { let path: String }

        let itemInfoEntries: [String: Item]
        let rootModelIdentifier: String
    }
}

/// The fields of one message of Protocol Buffers; the last value of a field counts.
private struct Message {
    private enum Value {
        case number(UInt64)
        case bytes(Data)
    }

    private var fields: [Int: [Value]] = [:]

    /// Nil where the bytes are no message.
    init?(_ bytes: Data) {
        var reader = ByteReader(bytes)
        while !reader.isAtEnd {
            guard let key = reader.variableNumber(), key >> 3 > 0, let field = Int(exactly: key >> 3) else {
                return nil
            }
            switch key & 7 {
            case 0:
                guard let number = reader.variableNumber() else { return nil }
                fields[field, default: []].append(.number(number))
            case 1:
                guard reader.take(8) != nil else { return nil }
            case 2:
                guard let count = reader.variableNumber().flatMap({ Int(exactly: $0) }), let part = reader.take(count)
                else { return nil }
                fields[field, default: []].append(.bytes(part))
            case 5:
                guard reader.take(4) != nil else { return nil }
            default:
                return nil
            }
        }
    }

    func number(_ field: Int) -> Int? {
        guard case .number(let value) = fields[field]?.last else { return nil }
        return Int(exactly: value)
    }

    func text(_ field: Int) -> String? {
        guard case .bytes(let bytes) = fields[field]?.last else { return nil }
        return String(data: bytes, encoding: .utf8)
    }

    func message(_ field: Int) -> Message? { messages(field).last }

    func messages(_ field: Int) -> [Message] {
        (fields[field] ?? []).compactMap { value in
            guard case .bytes(let bytes) = value else { return nil }
            return Message(bytes)
        }
    }
}
