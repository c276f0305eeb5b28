import Bytes
import Cluster
import Cryptography
import Foundation
import Journal
import Machine
import Market
import Matching
import Operations
import Settlement
import Testing

@testable import SettlementNode

/// Evidence that was changed behind the cluster's back is found, invariant by invariant.
@Suite struct TamperingTests {
  /// An honest run of some epochs.
  private static func run(_ use: (InProcessCluster) throws -> Void) throws {
    let cluster = try InProcessCluster()
    defer { InProcessCluster.remove(cluster.path) }
    var day = TradingDay(seed: 7)
    try day.open(cluster)
    try day.trade(cluster, actions: 60)
    try #require(try cluster.windDown())
    try use(cluster)
  }

  private static func breaches(
    _ cluster: InProcessCluster, _ invariant: InvariantName, _ location: SourceLocation = #_sourceLocation
  ) throws {
    try cluster.close()
    let report = try Auditor.audit(dataDirectory: cluster.path)
    let found = try #require(report[invariant], sourceLocation: location)
    #expect(found.breaches > 0, "\(invariant) is not breached", sourceLocation: location)
    #expect(!found.details.isEmpty, sourceLocation: location)
    #expect(!report.isSound, sourceLocation: location)
  }

  private static func someReply(_ cluster: InProcessCluster) throws -> ActionReply {
    try #require(cluster.replies.last { !$0.isRepeated && $0.results.contains(where: \.outcome.isAccepted) })
  }

  // MARK: Clients' logs

  @Test func anAnswerThatTheJournalDoesNotGiveBreaksAcknowledgedOnce() throws {
    try Self.run { cluster in
      var reply = try Self.someReply(cluster)
      reply.results[0] = .init(outcome: .filled, filled: Lots(77))
      try cluster.log.append(.acknowledged(reply))
      try Self.breaches(cluster, .acknowledgedOnce)
    }
  }

  @Test func anAcknowledgedEntryThatIsNotThereBreaksAcknowledgedOnce() throws {
    try Self.run { cluster in
      var reply = try Self.someReply(cluster)
      reply.sequence = SequenceNumber(reply.sequence.rawValue + 1_000_000)
      reply.nonce += 500_000
      try cluster.log.append(.acknowledged(reply))
      try Self.breaches(cluster, .acknowledgedOnce)
    }
  }

  @Test func twoAnswersToOneNonceBreakAcknowledgedOnce() throws {
    try Self.run { cluster in
      var reply = try Self.someReply(cluster)
      reply.sequence = reply.sequence.next
      try cluster.log.append(.acknowledged(reply))
      try Self.breaches(cluster, .acknowledgedOnce)
    }
  }

  @Test func anAnswerOfAnotherTermBreaksOneOwner() throws {
    try Self.run { cluster in
      var reply = try Self.someReply(cluster)
      reply.term = reply.term.next
      try cluster.log.append(.acknowledged(reply))
      try Self.breaches(cluster, .oneOwner)
    }
  }

  @Test func anAcknowledgementAfterTheLastFinalEpochBreaksLiveness() throws {
    try Self.run { cluster in
      try cluster.trade(0, [cluster.order(.buy, TestMarket.perpetual, ticks: -20, lots: 1)])
      try Self.breaches(cluster, .liveness)
    }
  }

  @Test func aDepositThatNobodyConsumedBreaksLiveness() throws {
    try Self.run { cluster in
      _ = try cluster.ledger.apply(
        .deposit(owner: TestMarket.key(0).address, account: nil, currency: .usd, amount: Money(whole: 1))
      ).get()
      try Self.breaches(cluster, .liveness)
    }
  }

  // MARK: Journals

  /// An entry slipped into a machine's journal, with everything the journal's own format asks for.
  private static func forge(
    _ path: String, _ machine: MachineID, _ kind: InputKind, _ payload: [UInt8],
    _ change: (inout InputHeader) -> Void = { _ in }
  ) throws {
    let journal = try Journal(
      directory: "\(path)/journal/\(machine)", machine: machine, configuration: JournalConfiguration(mapSize: 1 << 30))
    try journal.begin()
    var header = InputHeader(
      sequence: journal.lastSequence.next, stamp: journal.lastStamp, term: journal.lastTerm, kind: kind)
    change(&header)
    try payload.withUnsafeBytes { try journal.append(header, $0) }
    try journal.commit()
  }

  /// A run whose journals are closed.
  private static func closedRun() throws -> (path: String, streams: StreamNumbers, epoch: Epoch) {
    var found: (String, StreamNumbers, Epoch)?
    let path = InProcessCluster.temporaryPath()
    try {
      let cluster = try InProcessCluster(path: path)
      var day = TradingDay(seed: 8)
      try day.open(cluster)
      try day.trade(cluster, actions: 40)
      try #require(try cluster.windDown())
      try cluster.close()
      found = (path, cluster.shards[0].read { $0.streams }, cluster.shards[0].sequencer.epoch)
    }()
    return found!
  }

  @Test func aForgedCeilingInAShardsJournalBreaksStreamsAndCredit() throws {
    let (path, streams, epoch) = try Self.closedRun()
    defer { InProcessCluster.remove(path) }
    let credit = Credit(
      account: AccountID(1), owner: TestMarket.key(0).address, version: 1_000_000, ceiling: Money(whole: 90_000_000))
    var writer = ByteWriter()
    ([MessageKind.credit.rawValue] + credit.encoded).withUnsafeBytes { writer.blob($0) }
    try Self.forge(path, .shard(ShardID(0)), .stream, writer.array) { header in
      header.source = .risk
      header.epoch = epoch
      header.firstNumber = streams.lastReceived(from: .risk) + 1
      header.count = 1
    }
    let report = try Auditor.audit(dataDirectory: path)
    #expect(try #require(report[.streams]).breaches > 0)
    #expect(try #require(report[.credit]).breaches > 0)
  }

  @Test func aMessageConsumedTwiceBreaksStreams() throws {
    let (path, streams, epoch) = try Self.closedRun()
    defer { InProcessCluster.remove(path) }
    var writer = ByteWriter()
    ([MessageKind.halt.rawValue] + Halt(isHalted: false).encoded).withUnsafeBytes { writer.blob($0) }
    try Self.forge(path, .shard(ShardID(0)), .stream, writer.array) { header in
      header.source = .risk
      header.epoch = epoch
      header.firstNumber = streams.lastReceived(from: .risk)
      header.count = 1
    }
    #expect(try #require(try Auditor.audit(dataDirectory: path)[.streams]).breaches > 0)
  }

  @Test func anActionThatNobodySignedBreaksOrderTerms() throws {
    let (path, _, _) = try Self.closedRun()
    defer { InProcessCluster.remove(path) }
    let operation = Market.Operation(kind: .cancelAll, instrument: TestMarket.perpetual)
    let header = SignedActionHeader(
      module: .batch, operationCount: 1, account: AccountID(1), nonce: 9, expiry: .max / 4,
      underlying: UnderlyingID(0), signer: TestMarket.key(0).address, owner: TestMarket.key(0).address,
      signature: .init(r: .zero, s: .zero, recoveryID: 0))
    try Self.forge(
      path, .shard(ShardID(0)), .action, SignedAction(header: header, operations: [operation]).encoded)
    #expect(try #require(try Auditor.audit(dataDirectory: path)[.orderTerms]).breaches > 0)
  }

  @Test func aSealThatSaysOtherThanItsJournalBreaksDeterminism() throws {
    let (path, _, epoch) = try Self.closedRun()
    defer { InProcessCluster.remove(path) }
    let seal = Seal(
      epoch: epoch, term: Term(1), firstSequence: SequenceNumber(1), lastSequence: SequenceNumber(2), chainHead: .zero,
      entryRoot: .zero)
    try Self.forge(path, .shard(ShardID(0)), .seal, seal.encoded)
    #expect(try #require(try Auditor.audit(dataDirectory: path)[.deterministic]).breaches > 0)
  }

  @Test func aTermThatFallsBreaksOneOwner() throws {
    let (path, _, _) = try Self.closedRun()
    defer { InProcessCluster.remove(path) }
    try Self.forge(path, .risk, .tick, []) { $0.term = Term(0) }
    #expect(try #require(try Auditor.audit(dataDirectory: path)[.oneOwner]).breaches > 0)
  }

  // MARK: The settlement layer

  /// Writes the ledger anew with its transactions changed.
  private static func rewriteLedger(_ path: String, _ change: (inout [VaultTransaction]) -> Void) throws {
    var transactions: [VaultTransaction] = []
    try {
      try LedgerReader(directory: "\(path)/ledger").forEachTransaction { transactions.append($0) }
    }()
    change(&transactions)
    let market = try #require(try genesis(path))
    try FileManager.default.removeItem(atPath: "\(path)/ledger")
    try FileManager.default.createDirectory(atPath: "\(path)/ledger", withIntermediateDirectories: true)
    let environment = try LMDBEnvironment(directory: "\(path)/ledger")
    let tables = try LedgerTables(environment)
    _ = try tables.load(environment, VaultRules(market))
    for (place, transaction) in transactions.enumerated() {
      try tables.append(environment, UInt64(place + 1), transaction, snapshot: nil)
    }
  }

  private static func genesis(_ path: String) throws -> MarketDefinition? {
    var market: MarketDefinition?
    try JournalReader(directory: "\(path)/journal/settlement", machine: .settlement)
      .forEachEntry(from: SequenceNumber(1)) { _, payload in
        market = try MarketDefinition(decoding: payload)
        return false
      }
    return market
  }

  private static func audit(changing change: (inout [VaultTransaction]) -> Void) throws -> AuditReport {
    let (path, _, _) = try closedRun()
    defer { InProcessCluster.remove(path) }
    try rewriteLedger(path, change)
    return try Auditor.audit(dataDirectory: path)
  }

  /// Changes the last post that publishes a leaf.
  private static func changePost(_ transactions: inout [VaultTransaction], _ change: (inout EpochPost) -> Void) {
    for place in transactions.indices.reversed() {
      guard case .post(var post) = transactions[place], !post.changed.isEmpty else { continue }
      change(&post)
      transactions[place] = .post(post)
      return
    }
  }

  @Test func aPostWithAnotherHeaderBreaksTheRootChain() throws {
    let report = try Self.audit { transactions in
      Self.changePost(&transactions) { $0.header.marksRoot = .zero }
    }
    #expect(try #require(report[.rootChain]).breaches > 0)
  }

  @Test func aPostWithoutAQuorumBreaksTheRootChain() throws {
    let report = try Self.audit { transactions in Self.changePost(&transactions) { $0.attestations = [] } }
    #expect(try #require(report[.rootChain]).breaches > 0)
    #expect(try #require(report[.exit]).breaches == 0)
  }

  @Test func anEpochPostedTwiceBreaksTheRootChainAndLiveness() throws {
    let report = try Self.audit { transactions in
      if let last = transactions.last(where: { if case .post = $0 { true } else { false } }) {
        transactions.append(last)
      }
    }
    #expect(try #require(report[.rootChain]).breaches > 0)
    #expect(try #require(report[.liveness]).breaches > 0)
  }

  @Test func leavesThatAreNotPublishedBreakExit() throws {
    let report = try Self.audit { transactions in Self.changePost(&transactions) { $0.changed = [] } }
    #expect(try #require(report[.exit]).breaches > 0)
    #expect(try #require(report[.rootChain]).breaches > 0)
  }

  @Test func moneyThatTheLayerNeverGotBreaksSolvencyAndConservation() throws {
    let report = try Self.audit { transactions in
      for place in transactions.indices {
        guard case .deposit(let owner, let account, let currency, let amount) = transactions[place] else { continue }
        transactions[place] = .deposit(
          owner: owner, account: account, currency: currency, amount: Money(units: amount.units / 2))
      }
    }
    #expect(try #require(report[.solvency]).breaches > 0)
    #expect(try #require(report[.conservation]).breaches > 0)
  }
}
