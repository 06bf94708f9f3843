// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "TinyMLDemo",
    defaultLocalization: "en",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "TinyMLCore", targets: ["TinyMLCore"])
    ],
    targets: [
        .target(name: "TinyMLCore"),
        .testTarget(name: "TinyMLCoreTests", dependencies: ["TinyMLCore"]),
    ],
    swiftLanguageModes: [.v6]
)
