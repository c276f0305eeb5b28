import Bytes
import Cluster
import Cryptography
import Foundation
import Logging
import Machine
import Market
import Testing

@testable import Operations

/// What the supervisor concludes from the deaths of its processes.
struct PoisonWatchTests {
  private let path = "/tmp/nv-poison-\(UUID().uuidString.prefix(8))"
  private let shard = MachineID.shard(ShardID(0))
  private let map: ClusterMap
  private let market: MarketDefinition
  private let watch: PoisonWatch

  init() throws {
    map = ClusterMap(
      dataDirectory: path,
      nodes: [
        ClusterMap.Node(name: "matcher-0", role: .matcher, hosts: ["shard-0"], publicKey: ""),
        ClusterMap.Node(name: "matcher-1", role: .matcher, hosts: [], standbys: ["shard-0"], publicKey: ""),
      ], endpoints: ["shard-0@matcher-1": "ipc://x"], operatorPublicKey: "", shardCount: 1,
      settings: ClusterMap.Settings())
    let keys = map.keyDirectory(of: ClusterDirectory.operatorName)
    try FileManager.default.createDirectory(atPath: keys, withIntermediateDirectories: true)
    var parameters = MarketParameters()
    parameters.operatorAddress = try OperatorKey.openOrCreate(directory: keys).address
    market = MarketDefinition(
      currencies: [], underlyings: [], instruments: [], shardCount: 1, parameters: parameters)
    watch = PoisonWatch(
      limit: 3, market: market, log: Logger(label: "watch", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  /// A node's process dies while its copy of the shard applies an input.
  private func die(
    _ place: Int = 0, _ payload: [UInt8], _ kind: InputKind = .action, stage: NotedInput.Stage = .taken,
    sequence: UInt64 = 7, source: MachineID = .none, number: UInt64 = 0, count: UInt16 = 0,
    isFault: Bool = true
  ) throws {
    let node = map.nodes[place]
    let directory = map.journalDirectory(of: shard, on: node)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let note = try #require(InputNote(journalDirectory: directory))
    let header = InputHeader(
      sequence: SequenceNumber(sequence), stamp: .zero, term: Term(1), kind: kind, source: source, firstNumber: number,
      count: count)
    payload.withUnsafeBytes { note.willApply(stage, header, $0) }
    watch.ended(node, isFault: isFault, in: map)
  }

  private func kept() throws -> [Quarantine] { try QuarantineShelf(dataDirectory: path).quarantines(of: shard) }

  @Test func anInputIsKeptAwayAfterThreeDeathsOnWhateverNodeAndAtWhateverSequence() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    try die(0, [6], sequence: 7)
    try die(1, [6], sequence: 9)
    try die(0, [1], sequence: 9)
    #expect(try kept().isEmpty)
    try die(0, [6], sequence: 12)
    let found = try #require(try kept().first)
    #expect(found.kind == .action && found.deaths == 3 && found.digest == SHA256.hash([6]))
    #expect(QuarantineDigest(market.parameters).isSigned(found))
    try die(0, [6], sequence: 13)
    #expect(try kept().count == 1)
  }

  @Test func ofAStreamTheMessageIsKeptAwayThatWasAlone() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    for _ in 0..<5 { try die(0, [6, 7], .stream, source: .risk, number: 4, count: 2) }
    #expect(try kept().isEmpty)
    for _ in 0..<3 { try die(0, [7], .stream, source: .risk, number: 5, count: 1) }
    let found = try #require(try kept().first)
    #expect(found.source == .risk && found.firstNumber == 5)
  }

  @Test func whatAJournalHoldsAndWhatTheRuntimeMakesIsNeverLeftOut() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    for _ in 0..<5 {
      try die(0, [6], stage: .replayed)
      try die(0, [6], stage: .followed)
      try die(0, [], .tick)
      try die(0, [6], .seal)
    }
    #expect(try kept().isEmpty)
  }

  @Test func aNodeThatWasApplyingNothingAccusesNothing() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    for _ in 0..<3 {
      let directory = map.journalDirectory(of: shard, on: map.nodes[0])
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      let note = try #require(InputNote(journalDirectory: directory))
      let header = InputHeader(sequence: SequenceNumber(1), stamp: .zero, term: Term(1), kind: .action)
      [UInt8]([6]).withUnsafeBytes { note.willApply(.taken, header, $0) }
      note.hasApplied()
      watch.ended(map.nodes[0], isFault: true, in: map)
    }
    #expect(try kept().isEmpty)
  }

  @Test func aKillFromOutsideCountsForNothingEvenIfTheSuccessorDiesAtItsStart() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    for _ in 0..<3 { try die(0, [6], isFault: false) }
    #expect(try kept().isEmpty)
    for _ in 0..<5 { watch.ended(map.nodes[0], isFault: true, in: map) }
    try die(0, [6])
    for _ in 0..<5 { watch.ended(map.nodes[0], isFault: true, in: map) }
    #expect(try kept().isEmpty)
  }

  @Test func onlyAProcessThatDiedOfItselfIsAsked() {
    for signal in [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] {
      #expect(ChildProcess.Ending(text: "", code: 128 + signal).isFault)
    }
    for code in [0, 1, 70, 128 + SIGKILL, 128 + SIGTERM] {
      #expect(!ChildProcess.Ending(text: "", code: code).isFault, "\(code)")
    }
  }

  @Test func aStandbyHasItsTimeHoweverShortTheOwnerLived() {
    for lived in [0.1, 4.9, 5.1, 600] {
      for restarts in [1, 2, 50] {
        let delay = Supervisor.delay(lived: lived, restarts: restarts, hasCopies: true)
        #expect(delay >= 0.3 && delay <= 2, "\(lived) s, \(restarts) restarts: \(delay) s")
      }
    }
    #expect(Supervisor.delay(lived: 600, restarts: 9, hasCopies: false) == 0)
    #expect(Supervisor.delay(lived: 1, restarts: 1, hasCopies: false) == 0.1)
  }
}
