// swift-tools-version: 6.2
import PackageDescription

/// Settings of every target: a warning is an error, existential types are spelled `any`.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(name: "\(name)Tests", dependencies: dependencies, swiftSettings: strict)
}

func systemLibrary(_ name: String, apt package: String) -> Target {
  .systemLibrary(name: name, providers: [.apt([package])])
}

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let toml = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")
let http: [Target.Dependency] = [
  .product(name: "FlyingFox", package: "FlyingFox"), .product(name: "FlyingSocks", package: "FlyingFox"),
]
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

// Listed floor by floor: a module imports only from floors below its own (see README, "The house").
let package = Package(
  name: "novation",
  products: [
    .executable(name: "novation", targets: ["novation"]),
    .library(
      name: "Novation", targets: ["Bytes", "Market", "Machine", "Matching", "Clearing", "Pricing", "Settlement"]),
    // For the benchmarks, which are a package of their own.
    .library(name: "NovationEdges", targets: ["Messaging", "Journal", "Cluster", "Replay"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
  ],
  targets: [
    // Floor 1: vocabulary.
    systemLibrary("CZeroMQ", apt: "libzmq3-dev"),
    systemLibrary("CLMDB", apt: "liblmdb-dev"),
    systemLibrary("CSecp256k1", apt: "libsecp256k1-dev"),
    systemLibrary("CSodium", apt: "libsodium-dev"),
    systemLibrary("CCurl", apt: "libcurl4-openssl-dev"),
    .target(name: "CCRC32C"),
    room("Bytes", ["CCRC32C"]),
    room("Market", ["Bytes"]),
    room("Machine", ["Bytes", "Market"]),
    .target(name: "CKeccak"),
    systemLibrary("CNettle", apt: "nettle-dev"),
    room("Cryptography", ["Bytes", "CSecp256k1", "CSodium", "CKeccak", "CNettle"]),
    // Floor 2: pure machines and mathematics.
    room("Matching", ["Bytes", "Market", "Machine", "Cryptography"]),
    room("Clearing", ["Bytes", "Market", "Machine", "Cryptography"]),
    room("Pricing", ["Bytes", "Market"]),
    room("Settlement", ["Bytes", "Market", "Machine", "Cryptography"]),
    // Floor 3: edges.
    room("Listing", ["Bytes", "Market", "Pricing", toml]),
    room("Journal", ["Bytes", "Market", "Machine", "Cryptography", "CLMDB"]),
    room("Messaging", ["Bytes", "CZeroMQ", "CSodium"]),
    room("Wire", ["Bytes", "Market", "Cryptography"]),
    room("Metrics", http),
    // Upon Messaging: who owns what.
    room("Authority", ["Bytes", "Market", "Messaging", "CCurl", log]),
    // Floor 4: the runtime that hosts a machine.
    room(
      "Cluster",
      ["Bytes", "Market", "Machine", "Cryptography", "Journal", "Messaging", "Metrics", "Authority", "Wire", log]),
    room("Replay", ["Bytes", "Market", "Machine", "Matching"]),
    // Floor 5: the roles.
    room("MatcherNode", ["Bytes", "Market", "Machine", "Matching", "Cluster", "Messaging", "Wire", log]),
    room("RiskNode", ["Bytes", "Market", "Machine", "Clearing", "Cluster", "Messaging", "Wire", log]),
    room("MarkNode", ["Bytes", "Market", "Pricing", "Listing", "Cluster", "Messaging", "Wire", log]),
    room(
      "SettlementNode",
      ["Bytes", "Market", "Machine", "Cryptography", "Settlement", "Journal", "Cluster", "Messaging", "Wire", log]),
    room(
      "GatewayNode", ["Bytes", "Market", "Machine", "Cryptography", "Clearing", "Cluster", "Messaging", "Wire", log]),
    room(
      "VerifierNode",
      [
        "Bytes", "Market", "Machine", "Cryptography", "Matching", "Clearing", "Settlement", "Journal", "Cluster",
        "Messaging", "Wire", log,
      ]),
    // Floor 6: what people run.
    room(
      "Operations",
      [
        "Bytes", "Market", "Machine", "Cryptography", "Pricing", "Settlement", "Journal", "Authority", "Cluster",
        "Messaging", "Wire", "MatcherNode", "RiskNode", "MarkNode", "SettlementNode", "GatewayNode", "VerifierNode",
        "Matching", "Clearing", "Listing", "Replay", "Metrics", log, histogram, toml,
      ]),
    // Upon the roles and the auditor: a whole cluster on a simulated world.
    room(
      "Simulation",
      [
        "Bytes", "Market", "Machine", "Cryptography", "Matching", "Clearing", "Pricing", "Settlement", "Listing",
        "Journal", "Messaging", "Wire", "Authority", "Cluster", "MatcherNode", "RiskNode", "SettlementNode",
        "VerifierNode", "Operations", log,
      ]),
    .executableTarget(
      name: "novation",
      dependencies: ["Simulation", "Operations", "Cluster", "Listing", "Market", "Bytes", arguments],
      swiftSettings: strict),
    // Tests mirror Sources; ArchitectureTests hold the shape of the whole.
    tests("Architecture"),
    tests("Bytes", ["Bytes"]),
    tests("Market", ["Market", "Bytes"]),
    tests("Machine", ["Machine", "Market", "Bytes"]),
    tests("Cryptography", ["Cryptography", "Bytes"]),
    tests("Wire", ["Wire", "Cryptography", "Market", "Bytes"]),
    tests("Matching", ["Matching", "Machine", "Market", "Bytes"]),
    tests("Replay", ["Replay", "Matching", "Machine", "Market", "Bytes"]),
    tests("Clearing", ["Clearing", "Pricing", "Cryptography", "Machine", "Market", "Bytes"]),
    tests("Pricing", ["Pricing", "Market", "Bytes"]),
    tests("Listing", ["Listing", "Pricing", "Market", "Bytes"]),
    tests("Settlement", ["Settlement", "Cryptography", "Machine", "Market", "Bytes"]),
    tests(
      "Operations",
      [
        "Operations", "Bytes", "Market", "Machine", "Cryptography", "Matching", "Clearing", "Settlement", "Journal",
        "Cluster", "Wire", "SettlementNode", "VerifierNode", "Authority", "Metrics", "Listing",
      ]),
    tests("Journal", ["Journal", "Cryptography", "Machine", "Market", "Bytes"]),
    tests(
      "Cluster",
      [
        "Cluster", "Authority", "Messaging", "Cryptography", "Journal", "Listing", "Machine", "Market", "Matching",
        "Wire", "Bytes", log,
      ]),
    tests(
      "VerifierNode",
      [
        "VerifierNode", "Clearing", "Matching", "Settlement", "Cluster", "Journal", "Wire", "Cryptography", "Machine",
        "Market", "Bytes",
      ]),
    .testTarget(
      name: "EndToEndTests", dependencies: ["novation", "Operations", "Wire", "Market", "Bytes"], swiftSettings: strict),
    tests("Messaging", ["Messaging", "Bytes"]),
    tests("Metrics", ["Metrics"]),
    tests("Authority", ["Authority", "Messaging", "Market", "Bytes", log]),
    tests("MarkNode", ["MarkNode", "Listing", "Pricing", "Wire", "Market", "Bytes"]),
    tests("Gateway", ["GatewayNode", "Wire", "Machine", "Market", "Bytes"]),
    // The formats' articles, whose worked examples are read, written and recomputed.
    tests(
      "Documentation",
      ["Settlement", "Journal", "Wire", "Cryptography", "Machine", "Market", "Bytes"]),
    tests("Command", ["novation", "Cryptography", "Bytes"]),
    .testTarget(
      name: "SimulationTests", dependencies: ["novation", "Simulation", "Operations"], swiftSettings: strict),
    tests("Load", ["Operations", "Market", "Bytes", histogram]),
  ]
)
