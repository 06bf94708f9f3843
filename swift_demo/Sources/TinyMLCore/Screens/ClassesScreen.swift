/// Every class that a model can name, in the order of their names.
public struct ClassesScreen: Hashable, Sendable {
    /// Nothing can be done on it.
    public typealias Action = Never

    private let labels: [String]

    public init(labels: [String]) {
        self.labels = labels
    }

    public func content(_ formats: Formats = Formats()) -> Screen<Action> {
        let sorted = labels.sorted { ($0.lowercased(), $0) < ($1.lowercased(), $1) }
        return Screen("Classes", [ScreenSection(.list, sorted.map { .text(.verbatim($0)) })])
    }
}
