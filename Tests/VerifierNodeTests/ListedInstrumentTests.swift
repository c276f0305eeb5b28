import Bytes
import Clearing
import Cluster
import Cryptography
import Foundation
import Journal
import Machine
import Market
import Matching
import Settlement
import Testing
import Wire

/// An instrument that was listed at run time, as a verifier sees it: from the journals of risk, a shard and the
/// coordinator.
struct ListedInstrumentTests {
  private let directory = FileManager.default.temporaryDirectory
    .appendingPathComponent("listed-\(UUID().uuidString)").path
  private let operatorKey = PrivateKey.generate()
  private let client = PrivateKey.generate()
  private let shard = MachineID.shard(ShardID(0))
  private let market: MarketDefinition

  init() {
    var parameters = MarketParameters()
    parameters.verifiers = [Address([UInt8](repeating: 1, count: 20))]
    parameters.operatorAddress = operatorKey.address
    parameters.tradeModule = Address([UInt8](repeating: 3, count: 20))
    market = MarketDefinition(
      currencies: [.init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero)],
      underlyings: [.init(name: "BTC", openingIndex: Price(whole: 100_000))],
      instruments: [Self.instrument(0)], shardCount: 1, parameters: parameters)
  }

  private static func instrument(_ id: UInt32) -> Instrument {
    Instrument(
      id: InstrumentID(id), name: "BTC-\(id)", kind: .perpetual, settlement: .linear, underlying: UnderlyingID(0),
      settlementCurrency: .usd, shard: ShardID(0), expiry: .never, strike: .zero, tickSize: Price(whole: 1),
      lotSize: Quantity(units: 100_000), maximumOrder: Lots(1_000), asset: Address([UInt8](repeating: 9, count: 20)),
      subID: Digest([UInt8](repeating: UInt8(id), count: 32)))
  }

  private func sequencer<M: Machine & ~Copyable>(_ id: MachineID, _ type: M.Type) throws -> Sequencer<M> {
    let journal = try Journal(
      directory: "\(directory)/\(id)", machine: id, configuration: JournalConfiguration(mapSize: 1 << 28))
    return try Sequencer.open(id: id, journal: journal, genesis: market)
  }

  private func submit<M: Machine & ~Copyable>(
    _ kind: InputKind, _ payload: [UInt8], to sequencer: inout Sequencer<M>
  ) throws {
    payload.withUnsafeBytes { _ = sequencer.submit(kind, $0) }
    try sequencer.commit()
    sequencer.finishTurn()
  }

  /// Has risk take up instrument 1; gives the stream messages by destination.
  private func list(signedBy key: PrivateKey) throws -> [MachineID: [UInt8]] {
    var risk = try sequencer(.risk, RiskMachine.self)
    let listing = ListingDigest(market.parameters).listing(Self.instrument(1), nonce: 1, key: key)
    try submit(.action, listing.encoded, to: &risk)
    var messages: [MachineID: [UInt8]] = [:]
    for destination in [shard, .settlement] {
      try risk.journal.forEachOutbox(destination: destination, from: 1) { chunk in
        messages[destination, default: []] += [UInt8](chunk.messages)
        return true
      }
    }
    return messages
  }

  private func consume<M: Machine & ~Copyable>(_ messages: [UInt8], by sequencer: inout Sequencer<M>) throws {
    messages.withUnsafeBytes {
      _ = sequencer.submit(.stream, $0, from: .risk, epoch: Epoch(1), firstNumber: 1, count: 1)
    }
    try sequencer.commit()
    sequencer.finishTurn()
  }

  /// An order in Derive's own form, which names the instrument by asset and sub-id.
  private func trade(in instrument: Instrument) throws -> [UInt8] {
    var listed = market
    listed.instruments.append(Self.instrument(1))
    var action = SignedAction(
      header: SignedActionHeader(
        module: .trade, operationCount: 1, account: AccountID(1), nonce: 1, expiry: 4_000_000_000,
        underlying: instrument.underlying, signer: client.address, owner: client.address,
        signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0)),
      operations: [
        Market.Operation(
          kind: .new, side: .buy, instrument: instrument.id, price: Price(whole: 100), quantity: instrument.lotSize)
      ])
    try ActionSigning(market: listed).sign(&action, with: client)
    return action.encoded
  }

  private func reexecute() throws -> EpochReexecution {
    func replica<M: Machine & ~Copyable>(_ id: MachineID, _ type: M.Type) throws -> Replica<M> {
      try Replica<M>(
        id, directory: "\(directory)/\(id)", market: market, signing: ActionSigning(market: market))
    }
    let together = EpochReexecution(
      machines: [try replica(shard, ShardMachine.self), try replica(.risk, RiskMachine.self)],
      coordinator: try replica(.settlement, SettlementMachine.self))
    try together.advanceToEnd()
    return together
  }

  @Test func tradesInWhatRiskHasListedAreCheckedLikeAllOthers() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var hashes: [UInt64] = []
    do {
      let messages = try list(signedBy: operatorKey)
      var book = try sequencer(shard, ShardMachine.self)
      try consume(try #require(messages[shard]), by: &book)
      try submit(.action, try trade(in: Self.instrument(1)), to: &book)
      var settlement = try sequencer(.settlement, SettlementMachine.self)
      try consume(try #require(messages[.settlement]), by: &settlement)
      hashes = [book.machine.stateHash(), settlement.machine.stateHash()]
    }
    let together = try reexecute()
    #expect([together.machines[0].stateHash, together.coordinator.stateHash] == hashes)
  }

  @Test func aTradeInWhatWasNeverListedIsABreach() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    do {
      _ = try sequencer(.risk, RiskMachine.self)
      _ = try sequencer(.settlement, SettlementMachine.self)
      var book = try sequencer(shard, ShardMachine.self)
      try submit(.action, try trade(in: Self.instrument(1)), to: &book)
    }
    #expect { _ = try reexecute() } throws: { ($0 as? ReexecutionBreach)?.rule == .signature }
  }

  @Test func aListingOfAnotherKeyIsRefusedAndReachesNobody() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    do {
      #expect(try list(signedBy: client).isEmpty)
      _ = try sequencer(shard, ShardMachine.self)
      _ = try sequencer(.settlement, SettlementMachine.self)
    }
    let together = try reexecute()
    let risk = try #require(together.machines[1] as? Replica<RiskMachine>)
    let market = risk.read { $0.market }
    #expect(market.instruments.count == 1)
  }

  @Test func aListingThatRiskNeverSentIsABreachAtTheShard() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    do {
      let messages = try list(signedBy: operatorKey)
      var forged = try #require(messages[shard])
      forged[forged.count - 1] ^= 1
      var book = try sequencer(shard, ShardMachine.self)
      try consume(forged, by: &book)
      _ = try sequencer(.settlement, SettlementMachine.self)
    }
    #expect { _ = try reexecute() } throws: { ($0 as? ReexecutionBreach)?.rule == .stream }
  }
}
