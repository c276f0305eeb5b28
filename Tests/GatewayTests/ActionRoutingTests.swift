import Bytes
import Market
import Testing

@testable import GatewayNode

struct ActionRoutingTests {
  private static let operatorAddress = Address([UInt8](1...20))

  private static func instrument(_ id: UInt32, shard: UInt16) -> Instrument {
    Instrument(
      id: InstrumentID(id), name: "I-\(id)", kind: .perpetual, settlement: .linear, underlying: UnderlyingID(0),
      settlementCurrency: .usd, shard: ShardID(shard), expiry: .never, strike: .zero, tickSize: Price(whole: 1),
      lotSize: Quantity(whole: 1), maximumOrder: Lots(10))
  }

  private static func routing(operatorAddress: Address = operatorAddress) -> ActionRouting {
    var parameters = MarketParameters()
    parameters.operatorAddress = operatorAddress
    return ActionRouting(
      MarketDefinition(
        currencies: [.init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero)],
        underlyings: [.init(name: "BTC", openingIndex: Price(whole: 1))],
        instruments: [instrument(0, shard: 0), instrument(1, shard: 1), instrument(2, shard: 1)], shardCount: 2,
        parameters: parameters))
  }

  private static func header(
    account: AccountID = AccountID(5), owner: Address = .zero, module: SignedActionHeader.Module = .batch, count: Int
  ) -> SignedActionHeader {
    SignedActionHeader(
      module: module, operationCount: UInt16(count), account: account, nonce: 1, expiry: 2, underlying: UnderlyingID(0),
      signer: owner, owner: owner, signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0))
  }

  /// Where an action goes, or the code of its refusal.
  private static func route(
    _ operations: [Market.Operation], account: AccountID = AccountID(5), owner: Address = .zero,
    to named: UInt16? = nil, routing: ActionRouting = routing()
  ) -> Result<MachineID, ActionRouting.Refused> {
    operations.withUnsafeBytes {
      routing.machine(
        for: header(account: account, owner: owner, count: operations.count), $0, named: named.map { ShardID($0) })
    }
  }
  private func expect(
    _ result: Result<MachineID, ActionRouting.Refused>, _ shard: UInt16, location: SourceLocation = #_sourceLocation
  ) {
    #expect((try? result.get()) == .shard(ShardID(shard)), sourceLocation: location)
  }
  private func expect(
    _ result: Result<MachineID, ActionRouting.Refused>, _ outcome: Outcome, _ word: String,
    location: SourceLocation = #_sourceLocation
  ) {
    guard case .failure(let refused) = result else {
      Issue.record("not refused: \(result)", sourceLocation: location)
      return
    }
    #expect(refused.outcome == outcome && refused.reason.contains(word), "\(refused)", sourceLocation: location)
  }

  @Test(arguments: [.new, .replace, .amend, .cancel, .cancelAll, .quote] as [Market.Operation.Kind])
  func whatNamesAnInstrumentGoesToItsShard(_ kind: Market.Operation.Kind) {
    expect(Self.route([.init(kind: kind, instrument: InstrumentID(2))]), 1)
    expect(Self.route([.init(kind: kind, instrument: InstrumentID(2))], to: 1), 1)
    expect(Self.route([.init(kind: kind, instrument: InstrumentID(2))], to: 0), .wrongShard, "was sent to shard 0")
    expect(Self.route([.init(kind: kind, instrument: InstrumentID(3))]), .unknownInstrument, "operations[0]")
    expect(
      Self.route([
        .init(kind: kind, instrument: InstrumentID(0)), .init(kind: kind, instrument: InstrumentID(1)),
      ]), .wrongShard, "operations[1]")
  }

  /// Their instrument field is zero, which is also an instrument's number.
  @Test(arguments: [.protection, .resetProtection, .deadMan, .killSwitch] as [Market.Operation.Kind])
  func whatIsAboutTheAccountGoesWhereTheClientSays(_ kind: Market.Operation.Kind) {
    let operation = Market.Operation(kind: kind, instrument: InstrumentID(0))
    expect(Self.route([operation], to: 0), 0)
    expect(Self.route([operation], to: 1), 1)
    expect(Self.route([operation]), .malformed, "name the shard")
    expect(Self.route([operation], to: 2), .wrongShard, "none of number 2")
    expect(Self.route([operation, .init(kind: .cancel, instrument: InstrumentID(1))]), 1)
    expect(Self.route([operation, .init(kind: .cancel, instrument: InstrumentID(1))], to: 0), .wrongShard, "I-1")
  }

  @Test func aCancelOfEverythingGoesWhereTheClientSays() {
    let everything = Market.Operation(kind: .cancelAll, instrument: Market.Operation.allInstruments)
    expect(Self.route([everything], to: 1), 1)
    expect(Self.route([everything]), .malformed, "name the shard")
  }

  @Test func theOperatorSignsForTheHouseAndNobodyElse() {
    let halt = Market.Operation(kind: .tradingState, instrument: Market.Operation.allInstruments)
    let kill = Market.Operation(kind: .killSwitch, instrument: InstrumentID(0), targetNonce: 7)
    expect(Self.route([halt, kill], account: .house, owner: Self.operatorAddress, to: 1), 1)
    expect(Self.route([halt], account: .house, owner: Address([UInt8](2...21)), to: 1), .notAuthorised, "operator")
    expect(
      Self.route([halt], account: .house, to: 1, routing: Self.routing(operatorAddress: .zero)), .notAuthorised,
      "operator")
    for kind in [Market.Operation.Kind.new, .quote, .cancelAll, .deadMan, .protection] {
      let other = Market.Operation(kind: kind, instrument: InstrumentID(1))
      expect(
        Self.route([halt, other], account: .house, owner: Self.operatorAddress, to: 1), .notAuthorised, "operations[1]")
    }
  }

  @Test func whatJoinsTheMarketIsRoutedFromThenOn() {
    var routing = Self.routing()
    let order = Market.Operation(kind: .new, instrument: InstrumentID(3))
    expect(Self.route([order], routing: routing), .unknownInstrument, "not listed")
    routing.list(Self.instrument(3, shard: 1))
    expect(Self.route([order], routing: routing), 1)
    expect(Self.route([order, .init(kind: .new, instrument: InstrumentID(0))], routing: routing), .wrongShard, "I-0")
  }

  @Test func aWithdrawalGoesToRiskButNotTheHouses() {
    let operations = [Market.Operation(kind: .withdraw, instrument: InstrumentID(0))]
    operations.withUnsafeBytes { bytes in
      let routing = Self.routing()
      #expect((try? routing.machine(for: Self.header(module: .withdrawal, count: 1), bytes).get()) == .risk)
      expect(
        routing.machine(
          for: Self.header(account: .house, owner: Self.operatorAddress, module: .withdrawal, count: 1), bytes),
        .notAuthorised, "trading states")
    }
  }
}
