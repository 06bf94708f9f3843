// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "TinyMLDemo",
    defaultLocalization: "en",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "TinyMLUI", targets: ["TinyMLUI"]),
        .executable(name: "tinyml-bench", targets: ["tinyml-bench"]),
    ],
    targets: [
        .target(name: "TinyMLCore"),
        .target(name: "TinyMLApple", dependencies: ["TinyMLCore"]),
        .target(name: "TinyMLUI", dependencies: ["TinyMLApple", "TinyMLCore"], resources: [.process("Resources")]),
        .executableTarget(name: "tinyml-bench", dependencies: ["TinyMLApple", "TinyMLCore"]),
        .testTarget(name: "BenchCommandTests", dependencies: ["tinyml-bench", "TinyMLCore"]),
        .testTarget(name: "TinyMLCoreTests", dependencies: ["TinyMLCore"]),
    ],
    swiftLanguageModes: [.v6]
)
