import Foundation
import Testing

/// The house: every module stands on a floor and imports only from floors below its own.
struct FloorTests {
  static let floors: [[String]] = [
    ["CZeroMQ", "CLMDB", "CSecp256k1", "CSodium", "CCurl", "CKeccak", "CNettle", "CCRC32C"],
    ["Bytes"],
    ["Market", "Cryptography"],
    ["Machine"],
    ["Matching", "Clearing", "Pricing", "Settlement"],
    ["Journal", "Messaging", "Metrics", "Wire", "Listing", "Replay"],
    ["Authority"],
    ["Cluster"],
    ["MatcherNode", "RiskNode", "MarkNode", "SettlementNode", "GatewayNode", "VerifierNode"],
    ["Operations"],
    ["Simulation"],
    ["novation"],
  ]
  /// Pure modules: no clock, no randomness, no I/O; in the machines, no floating point.
  static let pure: Set<String> = ["Bytes", "Market", "Machine", "Matching", "Clearing", "Settlement", "Pricing"]
  static let machines: Set<String> = ["Market", "Machine", "Matching", "Clearing", "Settlement"]
  static let edges: Set<String> = [
    "Foundation", "Glibc", "Dispatch", "CZeroMQ", "CLMDB", "CCurl", "Journal", "Messaging",
  ]

  static func floor(of module: String) -> Int? { floors.firstIndex { $0.contains(module) } }

  @Test func everyModuleHasAFloor() {
    for module in Set(SourceTree.files(in: "Sources").map(\.module)) {
      #expect(Self.floor(of: module) != nil, "\(module) stands on no floor")
    }
  }

  @Test func aModuleImportsOnlyFromFloorsBelow() throws {
    let files = SourceTree.files(in: "Sources")
    #expect(files.count > 20)
    for file in files {
      let own = try #require(Self.floor(of: file.module))
      for imported in file.imports {
        guard let below = Self.floor(of: imported) else { continue }
        #expect(below < own, "\(file.path) imports \(imported), which is not below it")
      }
    }
  }

  @Test func pureModulesReachNoEdge() {
    for file in SourceTree.files(in: "Sources") where Self.pure.contains(file.module) {
      for imported in file.imports where Self.edges.contains(imported) {
        let isMathematics = file.module == "Pricing" && imported == "Glibc"
        let isMemory = file.module == "Matching" && imported == "Glibc"
        #expect(isMathematics || isMemory, "\(file.path) imports \(imported), an edge")
      }
    }
  }

  /// What would make two runs of one journal differ.
  @Test(arguments: [
    "Double(", ": Double", "Float", ".hashValue", "Hasher()", "SystemRandomNumberGenerator", ".random(", "Date()",
    "clock_gettime", "ContinuousClock", "ProcessInfo", "getenv", "Calendar", "Locale",
  ])
  func machinesAvoid(_ word: String) {
    for file in SourceTree.files(in: "Sources") where Self.machines.contains(file.module) {
      for (number, line) in file.lines.enumerated() where !line.trimmed.hasPrefix("//") {
        // Our own hasher, unlike the library's, is the same on every machine.
        let line = line.replacingOccurrences(of: "StateHasher()", with: "")
        #expect(!line.contains(word), "\(file.path):\(number + 1) uses \(word)")
      }
    }
  }
}

extension String {
  var trimmed: Substring { drop { $0 == " " } }
}
