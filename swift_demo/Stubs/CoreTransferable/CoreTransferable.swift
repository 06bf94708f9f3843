import Foundation

/// https://developer.apple.com/documentation/coretransferable/transferable
public protocol Transferable {}
/// https://developer.apple.com/documentation/foundation/url
extension URL: Transferable {}
/// https://developer.apple.com/documentation/foundation/data
extension Data: Transferable {}
