@testable import TinyMLCore

/// A clock that moves only when it is told to.
final class FakeClock: BenchmarkClock {
    private(set) var now = 0
    private(set) var sleeps = 0

    func sleep(until moment: Int) {
        now = max(now, moment)
        sleeps += 1
    }

    func advance(_ nanoseconds: Int) { now += nanoseconds }
}

/// Conditions that a test may change while a run goes on.
final class FakeConditions: BenchmarkConditions {
    var thermalState = ThermalState.nominal
    var isLowPowerMode = false
    var isDebugBuild = false
    var isDebuggerAttached = false
    var isSimulator = false
    var isInBackground = false
    var isBesideCamera = false
    var memoryBytes: Int? = 1000
}

/// A backend whose every step takes a known time.
final class FakeBackend: BenchmarkBackend {
    struct Failure: Error, CustomStringConvertible { let description: String }

    let name = "fake"
    let clock: FakeClock
    var failingUnits: Units?
    /// What a prediction takes, given how many were made before it.
    var predictTime: (Int) -> Int = { _ in 2_000_000 }
    private(set) var predictions = 0
    var onPredict: () -> Void = {}
    var onLoad: () -> Void = {}
    var onRelease: () -> Void = {}
    /// What reading an answer takes.
    var postprocessTime = 100_000

    init(clock: FakeClock) { self.clock = clock }

    func prepare() { clock.advance(7_000_000) }
    func compile() { clock.advance(50_000_000) }
    func store() { clock.advance(9_000_000) }

    func load(units: Units) throws -> any BenchmarkSession {
        if units == failingUnits { throw Failure(description: "the compiler of \(units.rawValue) gave up") }
        clock.advance(30_000_000)
        return Session(backend: self, onLoad: onLoad, onRelease: onRelease)
    }

    /// How many predictions had been made when the placement was asked for.
    private(set) var placementsAfter: [Int] = []

    func placement(units: Units) -> Placement? {
        placementsAfter.append(predictions)
        return Placement(cpu: 1, gpu: 0, neuralEngine: 9)
    }

    private final class Session: BenchmarkSession {
        let backend: FakeBackend
        let onRelease: () -> Void

        init(backend: FakeBackend, onLoad: () -> Void, onRelease: @escaping () -> Void) {
            self.backend = backend
            self.onRelease = onRelease
            onLoad()
        }

        deinit { onRelease() }

        func preprocess() { backend.clock.advance(500_000) }

        func predict() {
            backend.clock.advance(backend.predictTime(backend.predictions))
            backend.predictions += 1
            backend.onPredict()
        }

        func postprocess() { backend.clock.advance(backend.postprocessTime) }
    }
}
