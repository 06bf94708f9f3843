import Observation

/// Where something that is loaded stands.
public enum LoadState<Loaded: Sendable>: Sendable {
    case none
    case loading
    case ready(Loaded)
    case failed(Phrase)

    /// What was loaded; nil before and after.
    public var loaded: Loaded? {
        if case .ready(let loaded) = self { loaded } else { nil }
    }

    /// What screens show of it.
    public var stage: LoadStage {
        switch self {
        case .none: .none
        case .loading: .loading
        case .ready: .ready
        case .failed(let reason): .failed(reason)
        }
    }
}

/// Holds one thing that takes long to load: the newest wish counts, and what an earlier one brings is of no interest.
@MainActor
@Observable
public final class LoadSlot<Loaded: Sendable> {
    public private(set) var state = LoadState<Loaded>.none
    @ObservationIgnored private var task: Task<Void, Never>?

    public init() {}

    /// Begins to load; what was there is let go of at once.
    public func load(_ work: @escaping @MainActor () async throws -> Loaded) {
        task?.cancel()
        state = .loading
        task = Task {
            do {
                let loaded = try await work()
                if !Task.isCancelled { state = .ready(loaded) }
            } catch {
                if !Task.isCancelled { state = .failed(Phrase(of: error)) }
            }
        }
    }

    /// Holds nothing from now on.
    public func clear() {
        task?.cancel()
        state = .none
    }

    /// Returns once what was begun has ended.
    func settle() async { await task?.value }
}
