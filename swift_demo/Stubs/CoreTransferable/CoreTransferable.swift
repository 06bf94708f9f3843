import Foundation
import UniformTypeIdentifiers

/// https://developer.apple.com/documentation/coretransferable/transferable
public protocol Transferable {
    associatedtype Representation: TransferRepresentation
    /// https://developer.apple.com/documentation/coretransferable/transferable/transferrepresentation
    @TransferRepresentationBuilder<Self> static var transferRepresentation: Representation { get }
}

/// https://developer.apple.com/documentation/coretransferable/transferrepresentation
public protocol TransferRepresentation<Item>: Sendable {
    associatedtype Item: Transferable
}

/// https://developer.apple.com/documentation/coretransferable/transferrepresentationbuilder
@resultBuilder public struct TransferRepresentationBuilder<Item: Transferable> {
    /// https://developer.apple.com/documentation/coretransferable/transferrepresentationbuilder
    public static func buildExpression<Content: TransferRepresentation>(_ content: Content) -> Content
    where Content.Item == Item { stub() }
    /// https://developer.apple.com/documentation/coretransferable/transferrepresentationbuilder
    public static func buildBlock<Content: TransferRepresentation>(_ content: Content) -> Content
    where Content.Item == Item { stub() }
    /// https://developer.apple.com/documentation/coretransferable/transferrepresentationbuilder
    public static func buildBlock<First: TransferRepresentation, Second: TransferRepresentation>(
        _ first: First, _ second: Second
    ) -> TupleTransferRepresentation<Item, (First, Second)> where First.Item == Item, Second.Item == Item { stub() }
}

/// https://developer.apple.com/documentation/coretransferable/tupletransferrepresentation
public struct TupleTransferRepresentation<Item: Transferable, Value>: TransferRepresentation {}

/// https://developer.apple.com/documentation/coretransferable/receivedtransferredfile
public struct ReceivedTransferredFile: Sendable {
    /// https://developer.apple.com/documentation/coretransferable/receivedtransferredfile/file
    public var file: URL { stub() }
}

/// https://developer.apple.com/documentation/coretransferable/filerepresentation
public struct FileRepresentation<Item: Transferable>: TransferRepresentation {
    /// https://developer.apple.com/documentation/coretransferable/filerepresentation/init(importedcontenttype:shouldattempttoopeninplace:importing:)
    public init(
        importedContentType: UTType, shouldAttemptToOpenInPlace: Bool = false,
        importing: @escaping @Sendable (ReceivedTransferredFile) async throws -> Item
    ) { stub() }
}

/// https://developer.apple.com/documentation/coretransferable/datarepresentation
public struct DataRepresentation<Item: Transferable>: TransferRepresentation {
    /// https://developer.apple.com/documentation/coretransferable/datarepresentation/init(importedcontenttype:importing:)
    public init(importedContentType: UTType, importing: @escaping @Sendable (Data) async throws -> Item) { stub() }
}

extension URL: Transferable {
    /// https://developer.apple.com/documentation/foundation/url
    public static var transferRepresentation: FileRepresentation<URL> {
        func representation() -> FileRepresentation<URL> { stub() }
        return representation()
    }
}
extension Data: Transferable {
    /// https://developer.apple.com/documentation/foundation/data
    public static var transferRepresentation: DataRepresentation<Data> {
        func representation() -> DataRepresentation<Data> { stub() }
        return representation()
    }
}
