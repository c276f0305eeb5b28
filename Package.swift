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

// Listed floor by floor: a module imports only from floors below its own (see README, "The house").
let package = Package(
  name: "novation",
  products: [
    .executable(name: "novation", targets: ["novation"]),
    .library(
      name: "Novation", targets: ["Bytes", "Market", "Machine", "Matching", "Clearing", "Pricing", "Settlement"]),
  ],
  dependencies: [],
  targets: [
    // Floor 1: vocabulary.
    systemLibrary("CZeroMQ", apt: "libzmq3-dev"),
    systemLibrary("CLMDB", apt: "liblmdb-dev"),
    systemLibrary("CSecp256k1", apt: "libsecp256k1-dev"),
    systemLibrary("CSodium", apt: "libsodium-dev"),
    room("Bytes"),
    room("Market", ["Bytes"]),
    room("Machine", ["Bytes", "Market"]),
    room("Cryptography", ["Bytes", "CSecp256k1", "CSodium"]),
    // Floor 2: pure machines and mathematics.
    room("Matching", ["Bytes", "Market", "Machine", "Cryptography"]),
    room("Clearing", ["Bytes", "Market", "Machine", "Cryptography"]),
    room("Pricing", ["Bytes", "Market"]),
    room("Settlement", ["Bytes", "Market", "Machine", "Cryptography"]),
    // Floor 3: edges.
    room("Journal", ["Bytes", "Market", "Machine", "Cryptography", "CLMDB"]),
    room("Messaging", ["Bytes", "CZeroMQ", "CSodium"]),
    room("Wire", ["Bytes", "Market", "Cryptography"]),
    // Floor 4: the runtime that hosts a machine.
    room("Cluster", ["Bytes", "Market", "Machine", "Cryptography", "Journal", "Messaging", "Wire"]),
    room("Replay", ["Bytes", "Market", "Machine", "Matching"]),
    // Floor 5: the roles.
    // Floor 6: what people run.
    .executableTarget(
      name: "novation",
      dependencies: ["Cluster"],
      swiftSettings: strict),
    // Tests mirror Sources.
    tests("Bytes", ["Bytes"]),
    tests("Market", ["Market", "Bytes"]),
    tests("Machine", ["Machine", "Market", "Bytes"]),
    tests("Cryptography", ["Cryptography", "Bytes"]),
    tests("Wire", ["Wire", "Cryptography", "Market", "Bytes"]),
    tests("Matching", ["Matching", "Machine", "Market", "Bytes"]),
    tests("Replay", ["Replay", "Matching", "Machine", "Market", "Bytes"]),
    tests("Clearing", ["Clearing", "Machine", "Market", "Bytes"]),
    tests("Pricing", ["Pricing", "Market", "Bytes"]),
    tests("Settlement", ["Settlement", "Cryptography", "Machine", "Market", "Bytes"]),
    tests("Journal", ["Journal", "Cryptography", "Machine", "Market", "Bytes"]),
    tests("Messaging", ["Messaging", "Bytes"]),
  ]
)
