/// The format and the units of a backend that every reader of results knows.
struct KnownBackend {
    let format: BenchCase.Format
    let units: [Units]

    static let all: [String: KnownBackend] = [
        "coreai": KnownBackend(format: .coreai, units: Units.coreMLUnits),
        "coreml": KnownBackend(format: .coreml, units: Units.coreMLUnits),
        "coreml_device": KnownBackend(format: .coreml, units: Units.coreMLUnits),
        "onnxruntime": KnownBackend(format: .onnx, units: [.cpu, .coreml, .cuda]),
        "reference": KnownBackend(format: .coreml, units: [.cpu]),
        "torch": KnownBackend(format: .torch, units: [.cpu, .mps, .cuda]),
        "torch_compile": KnownBackend(format: .torch, units: [.cpu, .cuda]),
    ]

    /// Why the backend cannot have run a model of this format on these units; nil: it can.
    ///
    /// The units of a backend that is not known are held to the format alone.
    static func problem(backend: String, format: BenchCase.Format, units: Units) -> Phrase? {
        let known = all[backend]
        if let known, known.format != format {
            return Phrase("%@ runs no %@ model", backend, format.rawValue)
        }
        let allowed = known?.units ?? format.units
        if allowed.contains(units) { return nil }
        return Phrase("%@ has no units '%@'", backend, units.rawValue)
    }
}

extension BenchCase.Format {
    /// What a model of this format can be asked to run on, whatever the backend.
    var units: [Units] {
        switch self {
        case .torch: [.cpu, .mps, .cuda]
        case .coreml: Units.coreMLUnits + [.cpu]
        case .onnx: [.cpu, .coreml, .cuda]
        case .coreai: Units.coreMLUnits
        }
    }
}
