import Foundation

/// https://developer.apple.com/documentation/coreai/aimodel
@available(iOS 27.0, macOS 27.0, *)
public struct AIModel: Sendable {
    /// https://developer.apple.com/documentation/coreai/aimodel/init(contentsof:options:)
    public init(contentsOf modelURL: URL, options: SpecializationOptions = .default) async throws { stub() }
    /// https://developer.apple.com/documentation/coreai/aimodel/loadfunction(named:)
    public func loadFunction(named functionName: String) throws -> InferenceFunction? { stub() }
}

/// https://developer.apple.com/documentation/coreai/specializationoptions
@available(iOS 27.0, macOS 27.0, *)
public struct SpecializationOptions: Sendable {
    /// https://developer.apple.com/documentation/coreai/specializationoptions/default
    public static var `default`: SpecializationOptions { stub() }
    /// https://developer.apple.com/documentation/coreai/specializationoptions/cpuonly
    public static var cpuOnly: SpecializationOptions { stub() }
    /// https://developer.apple.com/documentation/coreai/specializationoptions/init(preferredcomputeunitkind:)
    public init(preferredComputeUnitKind: ComputeUnitKind) { stub() }
}

/// https://developer.apple.com/documentation/coreai/computeunitkind
@available(iOS 27.0, macOS 27.0, *)
public enum ComputeUnitKind: Hashable, Sendable {
    case cpu
    case gpu
    case neuralEngine
}

/// https://developer.apple.com/documentation/coreai/inferencefunction
@available(iOS 27.0, macOS 27.0, *)
public struct InferenceFunction: Sendable {
    /// https://developer.apple.com/documentation/coreai/inferencefunction/descriptor
    public let descriptor: InferenceFunctionDescriptor
    /// https://developer.apple.com/documentation/coreai/inferencefunction/run(inputs:states:outputviews:)-mqfb
    public func run(inputs: [String: NDArray]) async throws -> Outputs { stub() }

    /// https://developer.apple.com/documentation/coreai/inferencefunction/outputs
    public struct Outputs: ~Copyable {
        /// https://developer.apple.com/documentation/coreai/inferencefunction/outputs/remove(_:)
        public mutating func remove(_ outputName: String) -> InferenceValue? { stub() }
    }
}

/// https://developer.apple.com/documentation/coreai/inferencefunctiondescriptor
@available(iOS 27.0, macOS 27.0, *)
public struct InferenceFunctionDescriptor: Sendable {
    /// https://developer.apple.com/documentation/coreai/inferencefunctiondescriptor/inputnames
    public var inputNames: [String] { stub() }
    /// https://developer.apple.com/documentation/coreai/inferencefunctiondescriptor/outputnames
    public var outputNames: [String] { stub() }
    /// https://developer.apple.com/documentation/coreai/inferencefunctiondescriptor/inputdescriptor(of:)
    public func inputDescriptor(of inputName: String) -> InferenceValue.Descriptor? { stub() }
    /// https://developer.apple.com/documentation/coreai/inferencefunctiondescriptor/outputdescriptor(of:)
    public func outputDescriptor(of outputName: String) -> InferenceValue.Descriptor? { stub() }
}

/// https://developer.apple.com/documentation/coreai/inferencevalue
@available(iOS 27.0, macOS 27.0, *)
public struct InferenceValue: ~Copyable {
    /// https://developer.apple.com/documentation/coreai/inferencevalue/ndarray
    public var ndArray: NDArray? { consuming get { stub() } }

    /// https://developer.apple.com/documentation/coreai/inferencevalue/descriptor
    public enum Descriptor: Sendable {
        /// https://developer.apple.com/documentation/coreai/inferencevalue/descriptor/ndarray(_:)
        case ndArray(NDArrayDescriptor)
    }
}

/// https://developer.apple.com/documentation/coreai/ndarraydescriptor
@available(iOS 27.0, macOS 27.0, *)
public struct NDArrayDescriptor: Equatable, Sendable {
    /// https://developer.apple.com/documentation/coreai/ndarraydescriptor/shape
    public var shape: [Int] { stub() }
    /// https://developer.apple.com/documentation/coreai/ndarraydescriptor/scalartype
    public var scalarType: NDArray.ScalarType { stub() }
}

/// https://developer.apple.com/documentation/coreai/ndarray
@available(iOS 27.0, macOS 27.0, *)
public struct NDArray: Sendable {
    /// https://developer.apple.com/documentation/coreai/ndarray/scalartype-swift.enum
    public enum ScalarType: Hashable, Sendable {
        case float16
        case float32
    }

    /// https://developer.apple.com/documentation/coreai/ndarray/init(scalars:shape:)
    public init<Scalar: BitwiseCopyable>(scalars: some Sequence<Scalar>, shape: [Int]) { stub() }
    /// https://developer.apple.com/documentation/coreai/ndarray/view(as:)
    public func view<T: BitwiseCopyable>(as type: T.Type = T.self) -> View<T> { stub() }

    /// https://developer.apple.com/documentation/coreai/ndarray/view
    public struct View<Element: BitwiseCopyable> {
        /// https://developer.apple.com/documentation/coreai/ndarray/view/withunsafepointer(_:)
        public func withUnsafePointer<R, E: Error>(
            _ body: (UnsafePointer<Element>, Span<Int>, Span<Int>) throws(E) -> R
        ) throws(E) -> R { stub() }
    }
}
