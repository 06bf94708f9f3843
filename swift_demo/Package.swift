// swift-tools-version: 6.0
import PackageDescription

// Apple's frameworks exist on Apple's systems only. TINYML_STUBS=ios or TINYML_STUBS=macos adds stand-ins with their
// names (see Stubs/README.md), so that every file can be type-checked elsewhere. With TINYML_STUBS_FOLDER they come from
// there: the tests write a pessimistic copy, in which nothing is Sendable and every handler must be.
let stubbedSystem = Context.environment["TINYML_STUBS"]
let stubFolder = Context.environment["TINYML_STUBS_FOLDER"] ?? "Stubs"

/// Each stand-in with the stand-ins that it imports.
let platformKit = stubbedSystem == "ios" ? "UIKit" : "AppKit"
let stubs: [(name: String, imports: [String])] = [
    ("Darwin", []),
    ("os", []),
    ("CoreVideo", []),
    ("CoreMedia", ["CoreVideo"]),
    ("CoreGraphics", ["CoreVideo"]),
    ("ImageIO", ["CoreGraphics", "CoreVideo"]),
    ("CoreML", ["CoreVideo"]),
    ("CoreAI", []),
    ("Vision", ["CoreML", "CoreVideo"]),
    ("QuartzCore", []),
    ("AVFoundation", ["CoreGraphics", "CoreMedia", "QuartzCore"]),
    ("UniformTypeIdentifiers", []),
    ("CoreTransferable", ["UniformTypeIdentifiers"]),
    (platformKit, ["QuartzCore"]),
    ("SwiftUI", ["CoreGraphics", "CoreTransferable", "UniformTypeIdentifiers", platformKit]),
    ("Charts", ["SwiftUI"]),
    ("PhotosUI", ["CoreTransferable", "SwiftUI"]),
    ("AppIntents", []),
    ("WidgetKit", ["AppIntents", "SwiftUI"]),
]

let stubTargets: [Target] = stubs.map { stub in
    // As in a system framework, enumerations may grow: without it `@unknown default` would be refused.
    .target(
        name: stub.name, dependencies: stub.imports.map { .target(name: $0) }, path: "\(stubFolder)/\(stub.name)",
        swiftSettings: [.unsafeFlags(["-enable-library-evolution"])])
}

let isStubbed = stubbedSystem != nil

/// Stand-ins warn that the toolchain's own modules may change, so warnings are errors in our targets only.
let strict: [SwiftSetting] = isStubbed ? [.unsafeFlags(["-warnings-as-errors"])] : []
let frameworks: [Target.Dependency] = isStubbed ? stubs.map { .target(name: $0.name) } : []

/// Pixels and hashes are worked on in loops, which cost a hundred times as much where nothing is optimized: a camera's
/// frame would take longer than the frame after it. Such flags are allowed in packages that lie beside the project.
let optimized: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// The files of the app and of its controls, which Xcode builds from the project; here as one module, since they share
/// some.
let appTarget = Target.target(
    name: "TinyMLDemoApp", dependencies: ["TinyMLUI"] + frameworks, path: "App",
    exclude: [
        "Config", "Local.xcconfig.example", "Models", "TinyMLDemo.xcodeproj", "TinyMLDemo/Assets.xcassets",
        "TinyMLDemoUITests",
    ],
    sources: [
        "Shared/OpenCameraIntent.swift", "TinyMLControls/TinyMLControls.swift", "TinyMLDemo/ClassifyPhotoIntent.swift",
        "TinyMLDemo/TinyMLDemoApp.swift",
    ],
    swiftSettings: strict + [.unsafeFlags(["-parse-as-library", "-DTINYML_ONE_MODULE"])])

let package = Package(
    name: "TinyMLDemo",
    defaultLocalization: "en",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "TinyMLUI", targets: ["TinyMLUI"]),
        .executable(name: "tinyml-bench", targets: ["tinyml-bench"]),
    ],
    targets: [
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
        .target(
            name: "TinyMLCore", dependencies: ["CZlib"] + (isStubbed ? ["Darwin"] : []),
            swiftSettings: strict + optimized),
        .target(name: "TinyMLApple", dependencies: ["TinyMLCore"] + frameworks, swiftSettings: strict),
        .target(
            name: "TinyMLUI", dependencies: ["TinyMLApple", "TinyMLCore"] + frameworks, swiftSettings: strict),
        .executableTarget(
            name: "tinyml-bench", dependencies: ["TinyMLApple", "TinyMLCore"] + frameworks,
            swiftSettings: strict),
        .testTarget(name: "BenchCommandTests", dependencies: ["tinyml-bench", "TinyMLCore"]),
        .testTarget(name: "TinyMLCoreTests", dependencies: ["TinyMLCore"]),
    ] + (isStubbed ? stubTargets + [appTarget] : []),
    swiftLanguageModes: [.v6]
)
