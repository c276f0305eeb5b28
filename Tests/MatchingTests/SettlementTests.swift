import Bytes
import Cryptography
import Machine
import Market
import Testing

@testable import Matching

@Suite struct SettlementTests {
  @Test func settlementClosesEveryPositionAndConservesCash() {
    let venue = Venue()
    venue.sell(1, 7, at: "1000", Venue.future)
    venue.buy(2, 3, at: "1000", Venue.future)
    venue.buy(3, 4, at: "1000", Venue.future)
    venue.buy(4, 2, at: "900", Venue.future)
    venue.now = Venue.expiry
    let said = venue.risk(Settle(instrument: Venue.future, index: Price("1100.00000001")!))
    #expect(said.reports.first?.outcome == .cancelledByExpiry)
    let fills = said.fills.filter { $0.kind == .settlement }
    #expect(fills.map(\.account.rawValue) == [1, 2, 3])
    #expect(fills.map(\.lots) == [Lots(7), Lots(-3), Lots(-4)])
    #expect(fills.map(\.cash) == [Money("-770.00000001")!, Money(whole: 330), Money(whole: 440)])
    #expect(
      said.fills.last
        == {
          var residue = said.fills.last!
          residue.kind = .residue
          residue.cash = Money(units: 1)
          residue.lots = .zero
          return residue
        }())
    #expect(said.fills.reduce(0) { $0 + $1.cash.units } == 0)
    #expect((1...4).allSatisfy { venue.position($0, Venue.future) == 0 })
    #expect(venue.risk(Settle(instrument: Venue.future, index: Price(whole: 5))).fills.isEmpty)
  }

  @Test func aSettlementOrderedTooEarlyWaitsForTheExpiry() {
    let venue = Venue()
    venue.sell(1, 7, at: "1000", Venue.future)
    venue.buy(2, 7, at: "1000", Venue.future)
    #expect(venue.risk(Settle(instrument: Venue.future, index: Price(whole: 1_100))).fills.isEmpty)
    venue.now = Venue.expiry
    #expect(venue.machine.nextDeadline == Venue.expiry || venue.machine.nextDeadline < Venue.expiry)
    #expect(venue.apply(.tick, []).fills.count == 2)
  }

  @Test func anOptionSettlesAtItsIntrinsicValueInCoins() {
    let venue = Venue()
    venue.sell(1, 10, at: "0.05", Venue.option)
    venue.buy(2, 10, at: "0.05", Venue.option)
    venue.now = Venue.expiry
    let said = venue.risk(Settle(instrument: Venue.option, index: Price(whole: 1_250)))
    // 250 USD of intrinsic value at 1,250 a coin are 0.2 coins a unit, and ten lots are one unit.
    #expect(said.fills.map(\.cash) == [Money("-0.2")!, Money("0.2")!])
  }

  @Test func everyStepOfALongSettlementBalances() {
    let venue = Venue(accounts: 40) { $0.stepBound = 7 }
    var random = Seeded(5)
    for _ in 0..<300 {
      let account = UInt32.random(in: 1...40, using: &random)
      let price = "\(Int.random(in: 995...1_005, using: &random))"
      if .random(using: &random) {
        venue.buy(account, .random(in: 1...9, using: &random), at: price, Venue.future)
      } else {
        venue.sell(account, .random(in: 1...9, using: &random), at: price, Venue.future)
      }
    }
    _ = venue.seal()
    let before = (1...40).map { venue.position($0, Venue.future) }
    var cash = [Int64](repeating: 0, count: 41)
    venue.now = Venue.expiry
    var said = venue.risk(Settle(instrument: Venue.future, index: Price("1037.12345678")!))
    var steps = 0
    while (1...40).contains(where: { venue.position($0, Venue.future) != 0 }) && steps < 200 {
      #expect(said.fills.reduce(0) { $0 + $1.cash.units } == 0)
      #expect(said.fills.reduce(0) { $0 + $1.lots.count } == 0)
      for fill in said.fills { cash[Int(fill.account.rawValue)] += fill.cash.units }
      let commitment = venue.seal().commitments[0]
      #expect(commitment.positions.reduce(0) { $0 + $1.lots.count } == 0)
      #expect(commitment.ledger.reduce(0) { $0 + $1.amount.units } == 0)
      #expect(venue.machine.nextDeadline == venue.now)
      said = venue.apply(.continuation, [])
      steps += 1
    }
    for fill in said.fills { cash[Int(fill.account.rawValue)] += fill.cash.units }
    #expect(steps > 3 && steps < 200)
    let future = venue.market.instruments[Int(Venue.future.rawValue)]
    for account in 1...40 {
      let value = future.positionValue(Lots(before[account - 1]), at: Price("1037.12345678")!)!
      #expect(cash[account] == value.units)
    }
    #expect(cash[0] >= 0)
  }

  @Test func aSealCommitsToTheEpochsMovements() {
    let venue = Venue {
      $0.takerFee = 300
      $0.makerFee = 100
    }
    venue.sell(1, 5, at: "1000")
    let traded = venue.buy(2, 3, at: "1000")
    let said = venue.seal()
    let commitment = said.commitments[0]
    #expect(commitment.machine == .shard(ShardID(0)) && commitment.seal.epoch == Epoch(1))
    #expect(commitment.fillNumber == 2)
    #expect(
      commitment.positions == [
        .init(account: AccountID(1), instrument: Venue.linear, lots: Lots(-3)),
        .init(account: AccountID(2), instrument: Venue.linear, lots: Lots(3)),
      ])
    #expect(
      commitment.ledger == [
        .init(account: .house, currency: .usd, amount: Money("0.12")!),
        .init(account: AccountID(1), currency: .usd, amount: Money("299.97")!),
        .init(account: AccountID(2), currency: .usd, amount: Money("-300.09")!),
      ])
    #expect(commitment.fillRoot == MerkleTree<RFC6962Keccak>.root(traded.fills.map { RFC6962Keccak.leaf($0.encoded) }))
    #expect(venue.machine.epoch == Epoch(2))
    #expect(venue.seal(Epoch(1)).commitments.isEmpty)
    let empty = venue.seal().commitments[0]
    #expect(empty.ledger.isEmpty && empty.positions.isEmpty && empty.fillRoot == .zero)
    #expect(empty.stateHash != commitment.stateHash)
  }

  @Test func heartbeatsAreNumberedAndGoToRiskAndSettlement() {
    let venue = Venue()
    #expect(venue.machine.nextDeadline == Venue.start + .milliseconds(250))
    venue.now = venue.now + .milliseconds(250)
    let said = venue.apply(.tick, [])
    #expect(said.heartbeats.map(\.to) == [.risk, .settlement])
    #expect(said.heartbeats.map(\.1) == [Heartbeat](repeating: Heartbeat(number: 1, stamp: venue.now), count: 2))
    #expect(venue.machine.nextDeadline == venue.now + .milliseconds(250))
  }

  @Test func aStreamOutOfOrderCountsForNothing() {
    let venue = Venue()
    let before = venue.machine.stateHash()
    venue.riskNumber += 1
    venue.risk(Halt(isHalted: true))
    venue.riskNumber = 0
    venue.risk(Halt(isHalted: true))
    #expect(venue.machine.stateHash() == before)
  }
}
