// swift-tools-version: 6.2
import PackageDescription

// Every Swift target is Swift 6 mode with warnings as errors; modules that do not face C are
// also held to strict memory safety, so that each unsafe expression there is marked and visible.
// The program sees Hummingbird's Dispatch, whose C module claims structs of the C library as its own
// (`timespec`, `stat`), so it alone goes without member visibility.
let program: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
let strict: [SwiftSetting] = program + [.enableUpcomingFeature("MemberImportVisibility")]
let safe: [SwiftSetting] = strict + [.strictMemorySafety()]

func ground(_ name: String, _ uses: [Target.Dependency] = [], _ settings: [SwiftSetting] = safe)
    -> Target
{
    .target(
        name: name,
        dependencies: uses,
        path: "Sources/Ground/\(name)",
        swiftSettings: settings
    )
}

func stage(
    _ name: String,
    _ uses: [Target.Dependency],
    _ settings: [SwiftSetting] = safe,
    exclude: [String] = [],
    resources: [Resource]? = nil
) -> Target {
    .target(
        name: name,
        dependencies: uses,
        path: "Sources/Engine/\(name)",
        exclude: exclude,
        resources: resources,
        swiftSettings: settings
    )
}

func library(_ name: String, debian: String) -> Target {
    .systemLibrary(name: name, path: "Sources/CLibs/\(name)", providers: [.apt([debian])])
}

func tests(_ name: String, _ uses: [Target.Dependency], _ settings: [SwiftSetting] = strict)
    -> Target
{
    .testTarget(name: name, dependencies: uses, path: "Tests/\(name)", swiftSettings: settings)
}

let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let arguments: Target.Dependency = .product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let groundAll: [Target.Dependency] = [
    "Units", "Bytes", "Rings", "Loop", "Records", "Telemetry", "Settings",
]

let package = Package(
    name: "heliograph",
    products: [
        .executable(name: "heliograph", targets: ["heliograph"]),
        .executable(name: "heliograph-bench", targets: ["heliograph-bench"]),
        .executable(name: "heliograph-micro", targets: ["heliograph-micro"]),
        .executable(name: "hummingbird-peer", targets: ["hummingbird-peer"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    ],
    targets: [
        library("CLibuv", debian: "libuv1-dev"),
        library("CHiredis", debian: "libhiredis-dev"),
        library("CLibpq", debian: "libpq-dev"),
        library("CZlib", debian: "zlib1g-dev"),
        library("COpenSSL", debian: "libssl-dev"),
        library("CMaxMind", debian: "libmaxminddb-dev"),
        library("CUtf8proc", debian: "libutf8proc-dev"),
        library("CCurl", debian: "libcurl4-openssl-dev"),
        .target(name: "CShims", path: "Sources/CLibs/CShims"),

        ground("Units", ["CShims"]),
        ground("Bytes", ["Units"], strict),
        ground("Rings", ["Units", "Bytes", "CShims"], strict),
        ground("Loop", ["Units", "Bytes", "CLibuv", "CShims"], strict),
        ground("Records", ["Units", "Bytes"]),
        ground("Telemetry", ["Units", logging]),
        ground("Settings", ["Units", "Bytes", "Records", "Telemetry", yams]),

        stage("Intake", groundAll + ["CLibuv", "CShims", "COpenSSL"], strict),
        stage("Wire", groundAll + ["CZlib"], strict, exclude: ["Formats/README.md"]),
        stage("Admission", groundAll),
        stage(
            "Enrichment",
            groundAll + ["CMaxMind"],
            resources: [.embedInCode("Lists")]
        ),
        stage("Privacy", groundAll + ["COpenSSL"], resources: [.embedInCode("Words")]),
        stage("Journal", groundAll + ["CShims"]),
        stage("Scoring", groundAll, exclude: ["README.md"]),
        stage(
            "Storage",
            groundAll + ["CLibuv", "CHiredis", "CLibpq", "CShims"],
            strict,
            exclude: ["README.md"],
            resources: [.embedInCode("Migrations")]
        ),

        stage(
            "Delivery",
            groundAll + ["COpenSSL", "CUtf8proc", "CLibuv", "CCurl"],
            strict,
            exclude: ["README.md"]
        ),

        .target(
            name: "Companion",
            dependencies: groundAll + [
                "Scoring", "CHiredis", "CLibpq", "COpenSSL", "CShims", "CZlib", hummingbird,
                logging,
            ],
            path: "Sources/Companion",
            exclude: ["Hub"],
            resources: [.copy("Pages")],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "heliograph",
            dependencies: groundAll + [
                "Intake", "Wire", "Admission", "Enrichment", "Privacy", "Journal", "Scoring",
                "Storage", "Delivery", "Companion", "COpenSSL", arguments, logging,
            ],
            path: "Sources/heliograph",
            swiftSettings: program
        ),
        .target(
            name: "CBench",
            path: "bench/CBench",
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]
        ),
        .target(
            name: "BenchLoad",
            dependencies: [histogram],
            path: "bench/BenchLoad",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "heliograph-bench",
            dependencies: ["BenchLoad", "CBench", "CHiredis", "CLibpq", arguments, histogram],
            path: "bench/heliograph-bench",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "heliograph-micro",
            dependencies: groundAll + [
                "BenchLoad", "CBench", "Wire", "Journal", "Scoring", arguments,
            ],
            path: "bench/heliograph-micro",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "hummingbird-peer",
            dependencies: [hummingbird],
            path: "bench/peers/hummingbird",
            swiftSettings: program
        ),
        .executableTarget(
            name: "fold-cost",
            dependencies: groundAll + ["Journal", "Scoring", arguments],
            path: "bench/fold-cost",
            swiftSettings: strict
        ),
        .target(
            name: "TestSupport",
            dependencies: ["Units", "Bytes", "Records"],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        tests(
            "ScoringTests",
            ["Units", "Bytes", "Records", "Settings", "Scoring", "TestSupport"]
        ),
        tests("BenchTests", ["BenchLoad", histogram]),
        .testTarget(
            name: "RingsTests",
            dependencies: ["Rings", "Bytes", "Units"],
            path: "Tests/RingsTests",
            exclude: ["mutate"],
            swiftSettings: strict
        ),
        tests("BytesTests", ["Bytes", "Units"]),
        tests("UnitsTests", ["Units"]),
        tests("RecordsTests", ["Records", "Bytes", "Units"]),
        tests("Conformance", ["Wire", "Bytes", "Units", "TestSupport"]),
        .testTarget(name: "TidyTests", path: "Tests/Tidy", swiftSettings: strict),
        tests("AdmissionTests", ["Admission", "Bytes", "Records", "Settings", "TestSupport"]),
        tests("WireFormatsTests", ["Wire", "Bytes", "Units", "TestSupport"]),
        tests("PrivacyTests", ["Privacy", "Bytes", "Records", "TestSupport"]),
        tests(
            "BeaconTests",
            ["Wire", "Bytes", "Records", "Settings", "Telemetry", "CZlib", "TestSupport"]
        ),
        tests(
            "ProgramTests",
            groundAll + [
                "heliograph", "Admission", "Enrichment", "Wire", "Journal", "Scoring", "Storage",
                "Delivery", "Privacy", "TestSupport",
            ],
            program
        ),
        .testTarget(
            name: "DeliveryTests",
            dependencies: groundAll + ["Delivery", "TestSupport"],
            path: "Tests/DeliveryTests",
            exclude: ["Goldens"],
            swiftSettings: strict
        ),
        tests("IntakeTests", ["Intake", "Loop", "Bytes", "Settings", "TestSupport"]),
        tests("LoopTests", ["Loop"]),
        tests("ForwardTests", ["Delivery", "Loop", "Units"]),
        tests(
            "EnrichmentTests",
            ["Enrichment", "Bytes", "Records", "Settings", "Units", "TestSupport"]
        ),
        tests("TelemetryTests", ["Units", "Telemetry", logging]),
        tests(
            "SettingsTests",
            ["Units", "Bytes", "Records", "Telemetry", "Settings", "TestSupport", logging]
        ),
        tests(
            "StorageTests",
            groundAll + ["Storage", "heliograph", "CLibuv", "CHiredis", "CLibpq", "CShims"]
        ),

        tests(
            "CompanionTests",
            groundAll + ["Companion", "Scoring", "CHiredis", logging, "TestSupport"],
            program
        ),
        .testTarget(
            name: "JournalTests",
            dependencies: ["Journal", "Loop", "Records", "Bytes", "Units"],
            path: "Tests/JournalTests",
            exclude: ["Fixtures"],
            swiftSettings: strict
        ),
        tests(
            "Simulation",
            groundAll + [
                "heliograph", "Admission", "Journal", "Scoring", "Storage", "Delivery", "CHiredis",
                "TestSupport",
            ],
            program
        ),
    ]
)
