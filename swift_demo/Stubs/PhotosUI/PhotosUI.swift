import CoreTransferable
import Foundation
import SwiftUI

/// https://developer.apple.com/documentation/photosui/photospickeritem
public struct PhotosPickerItem: Equatable, Hashable, Sendable {
    /// https://developer.apple.com/documentation/photosui/photospickeritem/loadtransferable(type:completionhandler:)
    @discardableResult public func loadTransferable<T: Transferable>(
        type: T.Type, completionHandler: @escaping (Result<T?, any Error>) -> Void
    ) -> Progress { stub() }
}

/// https://developer.apple.com/documentation/photosui/phpickerfilter-swift.struct
public struct PHPickerFilter: Equatable, Hashable, Sendable {
    /// https://developer.apple.com/documentation/photosui/phpickerfilter-swift.struct/images
    public static var images: PHPickerFilter { stub() }
}

/// https://developer.apple.com/documentation/photosui/photospicker
public struct PhotosPicker<Label: View>: View {
    /// https://developer.apple.com/documentation/photosui/photospicker/init(selection:matching:preferreditemencoding:label:)
    public init(
        selection: Binding<PhotosPickerItem?>, matching filter: PHPickerFilter? = nil, @ViewBuilder label: () -> Label
    ) { stub() }
    /// https://developer.apple.com/documentation/photosui/photospicker
    public var body: Never { stub() }
}
