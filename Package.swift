// swift-tools-version: 6.2
import PackageDescription

/// Where Scripts/fuzz.sh builds for libFuzzer, our modules report the way an input takes through them.
let isFuzzing = Context.environment["FLOWSTEER_FUZZ"] != nil
let fuzzer = isFuzzing ? ["-sanitize=fuzzer,address"] : []

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .unsafeFlags(fuzzer),
]

/// Unsafe flags are legal because nothing depends on this package: kernels run at full speed in debug builds
/// too, and may reorder sums so that the compiler can use vector registers.
let optimisedEvenInDebug: [CSetting] = [
    .unsafeFlags(["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"])
]

/// The cluster's decisions and their simulator, too, as a test lives through ten thousand virtual clusters, and
/// what reads pictures pixel by pixel.
let optimisedInDebug: [SwiftSetting] = [.unsafeFlags(["-O"])]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let orderedCollections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let http: [Target.Dependency] = [
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "HummingbirdCore", package: "hummingbird"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// A module of the house: its sources in `Sources/`, its tests, if any, in `Tests/`.
func module(_ name: String, _ dependencies: [Target.Dependency], settings: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict + settings)
}

func tests(
    _ name: String,
    _ dependencies: [Target.Dependency],
    resources: [Resource] = [],
    settings: [SwiftSetting] = []
) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.target(name: name), "TestSupport"] + dependencies,
        resources: resources,
        swiftSettings: strict + settings
    )
}

let package = Package(
    name: "flowsteer",
    products: [.executable(name: "flowsteer", targets: ["flowsteer"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
    ],
    targets: [
        // Ring 0: C libraries, our kernels, the generated wire format.
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CPNG", providers: [.apt(["libpng-dev"])]),
        .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
        .target(name: "CKernels", cSettings: optimisedEvenInDebug, linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CClusterProto", linkerSettings: [.linkedLibrary("protobuf-c")]),

        // Ring 1: one door to each C library.
        module("Tensors", ["CKernels", "COpenBLAS"]),
        module("ZeroMQ", ["CZeroMQ"]),
        module("ClusterMessages", ["CClusterProto", "Tensors"]),
        module("ImageFiles", ["CPNG", "CJPEG"], settings: optimisedInDebug),

        // Ring 2: the method, its models, its files, the decisions of the cluster.
        module("NeuralNetwork", ["Tensors"]),
        module("FlowMatching", ["Tensors"]),
        module("Checkpoints", ["Tensors", crypto]),
        module("DiffusionModels", ["NeuralNetwork", "FlowMatching", "Tensors", "Checkpoints"]),
        module("Distillation", ["DiffusionModels", "NeuralNetwork", "FlowMatching", "Tensors"]),
        module("Coordination", ["ClusterMessages", orderedCollections], settings: optimisedInDebug),
        module(
            "Evaluation",
            ["DiffusionModels", "FlowMatching", "ImageFiles", "Tensors"],
            settings: optimisedInDebug
        ),
        module(
            "Benchmarks",
            ["DiffusionModels", "Distillation", "FlowMatching", "NeuralNetwork", "Tensors"]
        ),

        // Ring 3: processes and people.
        module(
            "ClusterRuntime",
            [
                "Checkpoints", "ClusterMessages", "Coordination", "DiffusionModels", "Distillation",
                "Evaluation", "FlowMatching", "ImageFiles", "NeuralNetwork", "Tensors", "ZeroMQ",
                logging, crypto, grdb, yams,
            ]
        ),
        .target(
            name: "ClusterWeb",
            dependencies: [
                "Checkpoints", "ClusterMessages", "ClusterRuntime", "Coordination", logging,
            ] + http,
            resources: [.embedInCode("Page")],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "flowsteer",
            dependencies: [
                "Benchmarks", "Checkpoints", "ClusterMessages", "ClusterRuntime", "ClusterWeb",
                "DiffusionModels", "Distillation", "Evaluation", "FlowMatching", "ImageFiles", "Tensors",
                "ZeroMQ",
                argumentParser, logging,
            ],
            swiftSettings: strict
        ),

        .target(
            name: "TestSupport",
            dependencies: ["Tensors"],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        .target(
            name: "FuzzTargets",
            dependencies: ["Checkpoints", "ClusterMessages", "Tensors"],
            path: "Tests/FuzzTargets",
            swiftSettings: strict
        ),
        tests("FuzzTargets", []),
        tests("Tensors", ["CKernels"]),
        tests("ZeroMQ", ["CZeroMQ"]),
        tests("ClusterMessages", ["FuzzTargets", "Tensors"]),
        tests("ImageFiles", []),
        tests("NeuralNetwork", ["Tensors"]),
        tests("FlowMatching", ["Tensors"]),
        tests("Checkpoints", ["Tensors"]),
        tests("DiffusionModels", ["Checkpoints", "FlowMatching", "NeuralNetwork", "Tensors"]),
        tests(
            "Distillation",
            ["Checkpoints", "DiffusionModels", "FlowMatching", "NeuralNetwork", "Tensors"]
        ),
        tests("Coordination", ["ClusterMessages"], settings: optimisedInDebug),
        tests("Evaluation", ["Checkpoints", "DiffusionModels", "FlowMatching", "ImageFiles", "Tensors"]),
        tests(
            "Benchmarks",
            ["DiffusionModels", "Distillation", "FlowMatching", "NeuralNetwork", "Tensors"]
        ),
        tests(
            "ClusterRuntime",
            [
                "Checkpoints", "ClusterMessages", "Coordination", "DiffusionModels", "Distillation",
                "Evaluation", "FlowMatching", "ImageFiles", "NeuralNetwork", "Tensors", "ZeroMQ", crypto,
                grdb,
            ]
        ),
        tests(
            "ClusterWeb",
            [
                "ClusterMessages", "ClusterRuntime", "Coordination", "DiffusionModels", "Distillation",
                "ZeroMQ",
            ] + http
        ),
        .testTarget(
            name: "ClusterProcessTests",
            dependencies: ["TestSupport", "flowsteer"],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)

// Its entry point is libFuzzer's, so there is nothing to link it to in other builds.
if isFuzzing {
    package.targets.append(
        .executableTarget(
            name: "fuzz",
            dependencies: ["FuzzTargets"],
            path: "Tests/Fuzz",
            linkerSettings: [.unsafeFlags(fuzzer)]
        )
    )
}
