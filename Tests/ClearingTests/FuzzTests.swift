import Bytes
import Cryptography
import Machine
import Market
import Testing

@testable import Clearing

/// Hostile inputs: a trap would end the test process.
@Suite struct FuzzTests {
  static let edges: [Int64] = [
    .min, .min + 1, -1 << 62, -1 << 61, -1, 0, 1, 2, 1 << 32, 1 << 61, 1 << 62, .max - 1, .max,
  ]

  static func number(_ random: inout Seeded) -> Int64 {
    switch random.below(4) {
    case 0: edges[random.below(edges.count)]
    case 1: Int64(bitPattern: random.next())
    case 2: random.within(-1_000_000...1_000_000)
    default: Int64(bitPattern: random.next()) >> Int64(random.below(64))
    }
  }

  /// A message with every field from the edges, of a kind that shards or the coordinator send.
  static func message(_ random: inout Seeded, fills: inout [UInt64], shard: Int) -> [UInt8] {
    let account = AccountID(UInt32(random.below(4)))
    func money() -> Money { Money(units: number(&random)) }
    func id() -> UInt64 { random.chance(70) ? UInt64(random.below(12)) : random.next() }
    let instrument = InstrumentID(UInt32(random.below(14)))
    switch random.below(9) {
    case 0, 1:
      fills[shard] += random.chance(90) ? 1 : 0
      return RiskDriver.frame(
        Fill(
          number: fills[shard], kind: Fill.Kind(rawValue: UInt8(random.below(7)))!, instrument: instrument,
          order: OrderID(account: account, key: .owner, nonce: id(), index: 0), lots: Lots(number(&random)),
          price: Price(units: number(&random)), cash: money(), fee: money(), consumed: money()))
    case 2:
      return RiskDriver.frame(CreditTaken(account: account, version: id(), ceiling: money(), consumed: money()))
    case 3:
      let charge = money()
      return RiskDriver.frame(
        CreditRequest(
          request: id(), account: account, instrument: instrument, lots: Lots(number(&random)),
          price: Price(units: number(&random)), charge: charge, shortfall: random.chance(50) ? charge : money()))
    case 4: return RiskDriver.frame(FreezeTaken(account: account, id: id(), fillNumber: id(), consumed: money()))
    case 5:
      return RiskDriver.frame(
        LiquidationResult(
          account: account, step: id(), filled: Lots(number(&random)),
          outcome: [.filled, .riskSilent, .busy, .inAuction, .residualCancelled][random.below(5)]))
    case 6:
      return RiskDriver.frame(
        GrantClosed(account: account, request: id(), wasUsed: random.chance(50), ceiling: money(), consumed: money()))
    case 7:
      return RiskDriver.frame(
        ProtectionTripped(
          account: account, underlying: UnderlyingID(UInt8(random.below(4))),
          until: Timestamp(nanoseconds: number(&random))))
    default:
      return RiskDriver.frame(Heartbeat(number: id(), stamp: Timestamp(nanoseconds: number(&random))))
    }
  }

  static func marks(
    _ definition: MarketDefinition, listed: MarketDefinition, _ random: inout Seeded, version: UInt64,
    at stamp: Timestamp
  ) -> [UInt8] {
    let underlying = UnderlyingID(UInt8(random.below(2)))
    var marks = TestMarket.marks(
      definition, underlying: underlying, index: Price(whole: random.within(1...200_000)), version: version, at: stamp)
    for instrument in listed.instruments.dropFirst(8)
    where instrument.underlying == underlying && instrument.expiry > stamp && random.chance(80) {
      let array = (0..<scenarioLanes).map { _ in Money(units: random.within(-1_000_000...1_000_000)) }
      marks.entries.append(
        .init(instrument: instrument.id, mark: Price(units: random.within(1...1 << 50)), profitAndLoss: array))
    }
    for _ in 0..<random.below(6) where !marks.entries.isEmpty {
      let entry = random.below(marks.entries.count)
      switch random.below(5) {
      case 0: marks.index = Price(units: number(&random))
      case 1: marks.coinProfitAndLoss[random.below(32)] = Money(units: number(&random))
      case 2: marks.entries[entry].mark = Price(units: number(&random))
      default: marks.entries[entry].profitAndLoss[random.below(32)] = Money(units: number(&random))
      }
    }
    return marks.encoded
  }

  /// Signed by the operator, with fields from the edges.
  static func listing(_ market: MarketDefinition, _ random: inout Seeded, nonce: UInt64) -> [UInt8] {
    var instrument = market.instruments[random.below(8)]
    instrument.id = InstrumentID(UInt32(market.instruments.count))
    instrument.name = "X\(instrument.id)"
    for _ in 0..<random.below(4) {
      switch random.below(6) {
      case 0: instrument.strike = Price(units: number(&random))
      case 1: instrument.expiry = Timestamp(nanoseconds: number(&random))
      case 2: instrument.tickSize = Price(units: number(&random))
      case 3: instrument.lotSize = Quantity(units: number(&random))
      case 4: instrument.maximumOrder = Lots(number(&random))
      default: instrument.shard = ShardID(UInt16(random.below(5)))
      }
    }
    return ListingDigest(market.parameters).listing(instrument, nonce: nonce, key: ListingTests.operatorKey).encoded
  }

  @Test(arguments: 0..<16) func noMessageHoweverAbsurdTrapsTheMachine(seed: UInt64) {
    var random = Seeded(seed)
    let definition = TestMarket.definition { parameters in
      parameters.operatorAddress = ListingTests.operatorKey.address
      if seed % 2 == 1 {
        parameters.heartbeatInterval = Interval(nanoseconds: Self.number(&random))
        parameters.heartbeatLapse = Interval(nanoseconds: Self.number(&random))
        parameters.heldOrderTimeout = Interval(nanoseconds: Self.number(&random))
        parameters.withdrawalTimeout = Interval(nanoseconds: Self.number(&random))
        parameters.signatureLifetime = Interval(nanoseconds: Self.number(&random))
        parameters.epochLength = Interval(nanoseconds: Self.number(&random))
        parameters.initialMarginFactor = UInt32(truncatingIfNeeded: Self.number(&random))
        parameters.maintenanceMarginFactor = UInt32(truncatingIfNeeded: Self.number(&random))
        parameters.liquidationBand = UInt32(truncatingIfNeeded: Self.number(&random))
        parameters.takerFee = UInt32(truncatingIfNeeded: Self.number(&random))
        parameters.haltAfterEpochs = UInt32(truncatingIfNeeded: Self.number(&random))
      }
    }
    var driver = RiskDriver(definition)
    for account: UInt32 in 1...3 { driver.deposit(account, Money(whole: 100_000)) }
    driver.mark(index: 100_000)
    driver.mark(1, index: 4_000)
    var numbers: [MachineID: UInt64] = [:]
    var fills: [UInt64] = [0, 0, 0, 0]
    var version: UInt64 = 10
    var deposits: UInt64 = 3
    for round in 0..<1_500 {
      driver.sent.removeAll()
      driver.replies.removeAll()
      switch random.below(20) {
      case 0..<11:
        let shard = random.below(4)
        let source = MachineID.shard(ShardID(UInt16(shard)))
        var frames: [UInt8] = []
        let count = random.below(3) + 1
        for _ in 0..<count { frames += Self.message(&random, fills: &fills, shard: shard) }
        if random.chance(10) { frames[random.below(frames.count)] = UInt8(truncatingIfNeeded: random.next()) }
        driver.input(
          .stream, frames, source: source, first: numbers[source, default: 0] + 1, count: UInt16(count))
        numbers[source, default: 0] += UInt64(count)
      case 11:
        deposits += 1
        driver.from(
          .settlement,
          Deposit(
            number: deposits, account: AccountID(UInt32(random.below(6))), owner: TestMarket.owner(1),
            currency: Currency(UInt8(random.below(4))), amount: Money(units: Self.number(&random))))
      case 12, 13:
        version += 1
        driver.input(
          .marks, Self.marks(definition, listed: driver.machine.market, &random, version: version, at: driver.now))
      case 14:
        driver.input(
          .action,
          RiskDriver.withdrawal(
            UInt32(random.below(4)), Money(units: Self.number(&random)), Currency(UInt8(random.below(4))),
            UInt64(random.below(8)), expiry: driver.now.seconds &+ 30))
      case 15 where random.chance(50):
        driver.input(.action, Self.listing(driver.machine.market, &random, nonce: UInt64(round)))
      case 15: driver.seal(UInt32(driver.machine.epoch.rawValue))
      case 16:
        driver.from(.settlement, EpochFinal(epoch: Epoch(UInt32(truncatingIfNeeded: random.next())), root: .zero))
      case 17:
        let bytes = (0..<random.below(300)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        driver.input(
          InputKind.allCases[random.below(10)], bytes, source: .shard(ShardID(UInt16(random.below(5)))),
          first: random.next(), count: UInt16(random.below(5)))
      default:
        driver.advance(.milliseconds(random.within(0...400)))
        if round > 1_450 && random.chance(20) { driver.now = Timestamp(nanoseconds: Self.number(&random)) }
        driver.input(.tick)
      }
    }
    _ = driver.machine.allViews()
    _ = driver.machine.totals()
    for account: UInt32 in 0...3 { _ = driver.machine.scenarios(of: AccountID(account)) }
    let restored = SnapshotTests.Restored(SnapshotTests.snapshot(driver.machine))
    #expect(Bool(restored.isWhole))
    #expect(restored.machine.stateHash() == driver.machine.stateHash())
  }

  @Test func aChangedGenesisIsTakenOrRefusedButNeverTraps() {
    let bytes = TestMarket.definition().encoded
    var random = Seeded(3)
    for _ in 0..<300 {
      var driver = RiskDriver(TestMarket.definition(), isOpen: false)
      var changed = bytes
      for _ in 0..<random.below(4) { changed[random.below(changed.count)] = UInt8(truncatingIfNeeded: random.next()) }
      // The number of shards stands just before the parameters; a cluster of 65,000 is no use here.
      driver.input(.genesis, changed)
      if driver.machine.shardCount > 64 { continue }
      driver.deposit(1, Money(whole: 1_000_000))
      driver.mark(index: 100_000)
      for instrument in 0..<8 { driver.fill(1, InstrumentID(UInt32(instrument)), lots: -7, at: Price(whole: 1_000)) }
      driver.mark(index: 110_000)
      driver.tick(after: .seconds(1))
      driver.seal(1)
      _ = driver.machine.totals()
    }
  }
}
