import CoreVideo
import Foundation

/// https://developer.apple.com/documentation/coreml/mlmodel
public class MLModel: NSObject {
    /// https://developer.apple.com/documentation/coreml/mlmodel/init(contentsof:configuration:)
    public init(contentsOf url: URL, configuration: MLModelConfiguration) throws { stub() }
    /// https://developer.apple.com/documentation/coreml/mlmodel/modeldescription
    public var modelDescription: MLModelDescription { stub() }
    /// https://developer.apple.com/documentation/coreml/mlmodel/prediction(from:)-9y2aa
    public func prediction(from input: any MLFeatureProvider) throws -> any MLFeatureProvider { stub() }
    /// https://developer.apple.com/documentation/coreml/mlmodel/prediction(from:options:)-3vg03
    public func prediction(
        from input: any MLFeatureProvider, options: MLPredictionOptions = MLPredictionOptions()
    ) async throws -> any MLFeatureProvider { stub() }
    /// https://developer.apple.com/documentation/coreml/mlmodel/compilemodel(at:completionhandler:)
    public class func compileModel(
        at url: URL, completionHandler handler: @escaping (Result<URL, any Error>) -> Void
    ) { stub() }
    /// https://developer.apple.com/documentation/coreml/mlmodel/compilemodel(at:)-3nea
    public class func compileModel(at modelURL: URL) async throws -> URL { stub() }
}

/// https://developer.apple.com/documentation/coreml/mlpredictionoptions
public class MLPredictionOptions: NSObject {}

/// https://developer.apple.com/documentation/coreml/mlmodelconfiguration
public class MLModelConfiguration: NSObject {
    /// https://developer.apple.com/documentation/coreml/mlmodelconfiguration/computeunits
    public var computeUnits: MLComputeUnits {
        get { stub() }
        set { stub() }
    }
}

/// https://developer.apple.com/documentation/coreml/mlcomputeunits
public enum MLComputeUnits: Int, Sendable {
    case cpuOnly
    case cpuAndGPU
    case all
    case cpuAndNeuralEngine
}

/// https://developer.apple.com/documentation/coreml/mlmodeldescription
public class MLModelDescription: NSObject {
    /// https://developer.apple.com/documentation/coreml/mlmodeldescription/inputdescriptionsbyname
    public var inputDescriptionsByName: [String: MLFeatureDescription] { stub() }
    /// https://developer.apple.com/documentation/coreml/mlmodeldescription/predictedprobabilitiesname
    public var predictedProbabilitiesName: String? { stub() }
}

/// https://developer.apple.com/documentation/coreml/mlfeaturedescription
public class MLFeatureDescription: NSObject {
    /// https://developer.apple.com/documentation/coreml/mlfeaturedescription/type
    public var type: MLFeatureType { stub() }
}

/// https://developer.apple.com/documentation/coreml/mlfeaturetype
public enum MLFeatureType: Int, Sendable {
    case invalid
    case int64
    case double
    case string
    case image
    case multiArray
    case dictionary
}

/// https://developer.apple.com/documentation/coreml/mlfeatureprovider
public protocol MLFeatureProvider {
    var featureNames: Set<String> { get }
    func featureValue(for featureName: String) -> MLFeatureValue?
}

/// https://developer.apple.com/documentation/coreml/mldictionaryfeatureprovider
public class MLDictionaryFeatureProvider: NSObject, MLFeatureProvider {
    /// https://developer.apple.com/documentation/coreml/mldictionaryfeatureprovider/init(dictionary:)
    public init(dictionary: [String: Any]) throws { stub() }
    /// https://developer.apple.com/documentation/coreml/mlfeatureprovider/featurenames
    public var featureNames: Set<String> { stub() }
    /// https://developer.apple.com/documentation/coreml/mlfeatureprovider/featurevalue(for:)
    public func featureValue(for featureName: String) -> MLFeatureValue? { stub() }
}

/// https://developer.apple.com/documentation/coreml/mlfeaturevalue
public class MLFeatureValue: NSObject {
    /// https://developer.apple.com/documentation/coreml/mlfeaturevalue/init(pixelbuffer:)
    public convenience init(pixelBuffer value: CVPixelBuffer) { stub() }
    /// https://developer.apple.com/documentation/coreml/mlfeaturevalue/dictionaryvalue
    public var dictionaryValue: [AnyHashable: NSNumber] { stub() }
}

/// https://developer.apple.com/documentation/coreml/mlcpucomputedevice
public class MLCPUComputeDevice: NSObject, @unchecked Sendable {}
/// https://developer.apple.com/documentation/coreml/mlgpucomputedevice
public class MLGPUComputeDevice: NSObject, @unchecked Sendable {}
/// https://developer.apple.com/documentation/coreml/mlneuralenginecomputedevice
public class MLNeuralEngineComputeDevice: NSObject, @unchecked Sendable {}

/// https://developer.apple.com/documentation/coreml/mlcomputedevice
public enum MLComputeDevice: Sendable {
    case cpu(MLCPUComputeDevice)
    case gpu(MLGPUComputeDevice)
    case neuralEngine(MLNeuralEngineComputeDevice)
}

@available(iOS 17.4, macOS 14.4, *)
/// https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum
public enum MLModelStructure: @unchecked Sendable {
    case neuralNetwork(NeuralNetwork)
    case program(Program)
    case pipeline(Pipeline)
    case unsupported

    /// https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/neuralnetwork
    public struct NeuralNetwork {}
    /// https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/pipeline
    public struct Pipeline {}

    /// https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program
    public struct Program {
        /// https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/functions
        public var functions: [String: Function] { stub() }

        /// https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/function
        public struct Function {
            /// https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/function/block
            public var block: Block { stub() }
        }

        /// https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/block
        public struct Block {
            /// https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/block/operations
            public var operations: [Operation] { stub() }
        }

        /// https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/operation
        public struct Operation {
            /// https://developer.apple.com/documentation/coreml/mlmodelstructure-swift.enum/program/operation/operatorname
            public var operatorName: String { stub() }
        }
    }
}

@available(iOS 17.4, macOS 14.4, *)
/// https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n
public class MLComputePlan {
    /// https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/load(contentsof:configuration:)
    public static func load(
        contentsOf url: URL, configuration: MLModelConfiguration
    ) async throws -> MLComputePlan { stub() }
    /// https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/modelstructure
    public var modelStructure: MLModelStructure { stub() }
    /// https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/deviceusage(for:)-7cdlm
    public func deviceUsage(for operation: MLModelStructure.Program.Operation) -> DeviceUsage? { stub() }
    /// https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/estimatedcost(of:)
    public func estimatedCost(of operation: MLModelStructure.Program.Operation) -> Cost? { stub() }

    /// https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/deviceusage
    public struct DeviceUsage: Sendable {
        /// https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/deviceusage/preferred
        public var preferred: MLComputeDevice { stub() }
    }

    /// https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/cost
    public struct Cost: Sendable {
        /// https://developer.apple.com/documentation/coreml/mlcomputeplan-1w21n/cost/weight
        public var weight: Double { stub() }
    }
}

// Foundation as it is on Apple's systems, where it holds more than on others.

extension ProcessInfo {
    /// https://developer.apple.com/documentation/foundation/processinfo/thermalstate-swift.enum
    public enum ThermalState: Int, Sendable {
        case nominal
        case fair
        case serious
        case critical
    }

    /// https://developer.apple.com/documentation/foundation/processinfo/thermalstate-swift.property
    public var thermalState: ThermalState { stub() }
    /// https://developer.apple.com/documentation/foundation/processinfo/islowpowermodeenabled
    public var isLowPowerModeEnabled: Bool { stub() }
}

extension URL {
    /// https://developer.apple.com/documentation/foundation/url/applicationsupportdirectory
    public static var applicationSupportDirectory: URL { stub() }
    /// https://developer.apple.com/documentation/foundation/url/startaccessingsecurityscopedresource()
    public func startAccessingSecurityScopedResource() -> Bool { stub() }
    /// https://developer.apple.com/documentation/foundation/url/stopaccessingsecurityscopedresource()
    public func stopAccessingSecurityScopedResource() { stub() }
}
