import Bytes
import Clearing
import Cluster
import Cryptography
import Foundation
import Journal
import Machine
import Market
import Matching
import Operations
import Settlement
import SettlementNode
import Wire

/// A whole cluster without sockets and processes: two shards, risk and coordinator on their real journals, a ledger, a
/// verifier who signs whatever it is asked to, and clients who keep their logs. One call of `step` is a turn of
/// everybody.
final class InProcessCluster {
  let path: String
  let market: MarketDefinition
  let shards: [MachineRunner<ShardMachine>]
  let risk: MachineRunner<RiskMachine>
  let settlement: MachineRunner<SettlementMachine>
  let ledger: LedgerStore
  let log: ClientLog
  let signing: ActionSigning
  /// Answers in order of arrival.
  private(set) var replies: [ActionReply] = []
  /// What the settlement layer refused.
  private(set) var refusals: [VaultRefusal] = []
  private var nonce: UInt64 = 1_000
  private var marksVersion: UInt64 = 0

  static func temporaryPath() -> String {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("audit-\(UUID().uuidString)").path
    for part in ["journal", "clients", "ledger"] {
      try? FileManager.default.createDirectory(atPath: "\(path)/\(part)", withIntermediateDirectories: true)
    }
    return path
  }

  init(path: String = temporaryPath(), _ adjust: (inout MarketDefinition) -> Void = { _ in }) throws {
    self.path = path
    var market = TestMarket.definition(opening: MachineClock.wall())
    adjust(&market)
    self.market = market
    signing = ActionSigning(market: market)
    func directory(_ id: MachineID) -> String { "\(path)/journal/\(id)" }
    shards = try market.shards.map {
      try MachineRunner(.shard($0), directory: directory(.shard($0)), market: market)
    }
    risk = try MachineRunner(.risk, directory: directory(.risk), market: market)
    settlement = try MachineRunner(.settlement, directory: directory(.settlement), market: market)
    ledger = try LedgerStore(directory: "\(path)/ledger", rules: VaultRules(market))
    log = try ClientLog(path: "\(path)/clients/client-0.log")
  }

  /// Ends the writing of everything; the files stay.
  func close() throws { try log.close() }

  static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

  // MARK: Turns

  func step() throws {
    for shard in shards { try shard.turn() }
    try risk.turn()
    try settlement.turn()
    for run in shards.flatMap({ $0.takeRuns() }) + risk.takeRuns() + settlement.takeRuns() { try deliver(run) }
    for reply in shards.flatMap({ $0.takeReplies() }) + risk.takeReplies() {
      replies.append(reply)
      try log.append(.acknowledged(reply))
    }
    for (code, payload) in settlement.takeEffects() { try carryOut(code, payload) }
  }

  private func deliver(_ run: StreamRun) throws {
    if let shard = run.destination.shard {
      try shards[Int(shard.rawValue)].consume(run)
    } else if run.destination == .risk {
      try risk.consume(run)
    } else {
      try settlement.consume(run)
    }
  }

  private func carryOut(_ code: UInt32, _ payload: [UInt8]) throws {
    switch SettlementEffect(rawValue: code) {
    case .attest:
      let request = try AttestationRequest(decoding: payload)
      let attestation = AttestationDigest(market.parameters).attestation(
        by: 0, key: TestMarket.verifier, epoch: request.epoch, headerHash: request.headerHash, agrees: true)
      try settlement.submit(.attestation, attestation.encoded)
    case .post: try transact(.post(EpochPost(decoding: payload)))
    case nil: break
    }
  }

  /// Brings a transaction to the settlement layer, and its word back.
  func transact(_ transaction: VaultTransaction) throws {
    switch try ledger.apply(transaction) {
    case .success(.deposited(let deposit)):
      try settlement.submit(.settlementEvent, SettlementEvent.deposit(deposit).encoded)
    case .success(.posted(let epoch, let headerHash, _)):
      try settlement.submit(.settlementEvent, SettlementEvent.posted(epoch, headerHash: headerHash).encoded)
      if let final = ledger.read({ $0.finalHeader }) {
        try settlement.submit(.settlementEvent, SettlementEvent.final(final.epoch, root: final.root).encoded)
      }
    case .success: break
    case .failure(let refusal): refusals.append(refusal)
    }
  }

  var finalEpoch: Epoch { settlement.read { $0.lastFinalEpoch } }

  /// Steps until `condition` holds.
  /// - Returns: false after `seconds` without it.
  @discardableResult
  func step(seconds: Double = 20, until condition: () -> Bool) throws -> Bool {
    let deadline = Date().addingTimeInterval(seconds)
    while !condition() {
      guard Date() < deadline else { return false }
      try step()
      usleep(500)
    }
    return true
  }

  /// Lets everything that was acknowledged become final.
  @discardableResult
  func windDown(seconds: Double = 20) throws -> Bool {
    for _ in 0..<4 { try step() }
    let last = (shards.map { $0.sequencer.epoch } + [risk.sequencer.epoch, settlement.sequencer.epoch]).max()!
    return try step(seconds: seconds) { finalEpoch >= last }
  }

  // MARK: The world around

  func deposit(_ trader: Int, _ currency: Currency = .usd, _ amount: Money) throws {
    try transact(
      .deposit(owner: TestMarket.key(trader).address, account: nil, currency: currency, amount: amount))
  }

  /// Publishes marks of both underlyings.
  func mark(movedBasisPoints moved: Int64 = 0) throws {
    marksVersion += 1
    let stamp = MachineClock.wall()
    for underlying in [UnderlyingID(0), UnderlyingID(1)] {
      let index = TestMarket.index(market, underlying, moved: moved)
      try risk.submit(
        .marks,
        TestMarket.riskMarks(market, underlying, index: index, version: marksVersion, at: stamp).encoded)
      try shards[Int(underlying.rawValue)].submit(
        .marks,
        TestMarket.shardMarks(market, underlying, index: index, version: marksVersion, at: stamp).encoded)
    }
  }

  /// Signs operations of one trader, all of one shard, and returns the action.
  func sign(_ trader: Int, _ operations: [Market.Operation], secondsToExpiry: UInt64 = 60) throws -> SignedAction {
    nonce += 1
    let instrument = market[operations[0].instrument]!
    return try signing.signedBatch(
      operations, account: AccountID(UInt32(trader + 1)), nonce: nonce,
      expiry: UInt64(MachineClock.wall().seconds) + secondsToExpiry, underlying: instrument.underlying,
      key: TestMarket.key(trader))
  }

  func submit(_ action: SignedAction) throws {
    let header = action.header
    try log.append(
      .submitted(account: header.account, nonce: header.nonce, operations: UInt16(action.operations.count)))
    if header.module == .withdrawal {
      try risk.submit(.action, action.encoded)
    } else {
      try shards[Int(header.underlying.rawValue)].submit(.action, action.encoded)
    }
  }

  /// Signs, submits and steps until the answer is there.
  @discardableResult
  func trade(_ trader: Int, _ operations: [Market.Operation]) throws -> ActionReply {
    let action = try sign(trader, operations)
    try submit(action)
    try step { replies.last?.nonce == action.header.nonce }
    return replies[replies.count - 1]
  }

  func withdraw(_ trader: Int, _ currency: Currency = .usd, _ amount: Money) throws {
    nonce += 1
    let key = TestMarket.key(trader)
    let withdrawal = Withdrawal(currency: currency, amount: amount, recipient: key.address, maximumFee: .zero)
    let header = SignedActionHeader(
      module: .withdrawal, operationCount: 1, account: AccountID(UInt32(trader + 1)), nonce: nonce,
      expiry: UInt64(MachineClock.wall().seconds) + 60, underlying: UnderlyingID(0), signer: key.address,
      owner: key.address, signature: .init(r: .zero, s: .zero, recoveryID: 0))
    var action = SignedAction(header: header, operations: [try Market.Operation(decoding: withdrawal.encoded)])
    try signing.sign(&action, with: key)
    try submit(action)
  }

  /// An order at so many ticks from the mark.
  func order(
    _ side: Side, _ instrument: InstrumentID, ticks: Int64, lots: Int64, type: Market.Operation.OrderType = .limit,
    timeInForce: Market.Operation.TimeInForce = .goodTillCancelled, flags: Market.Operation.Flags = [],
    expiry: UInt32 = 0
  ) -> Market.Operation {
    let listed = market[instrument]!
    let mark = market.underlyings[Int(listed.underlying.rawValue)].openingIndex
    return Market.Operation(
      kind: .new, side: side, type: type, timeInForce: timeInForce, flags: flags, instrument: instrument,
      price: type == .market ? .zero : Price(units: mark.units + ticks * listed.tickSize.units),
      quantity: Quantity(units: lots * listed.lotSize.units), expiry: expiry)
  }
}
