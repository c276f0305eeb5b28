import Bytes
import Foundation
import Machine
import Market
import Testing

@testable import Matching

/// Random operations through the real shard and through the naive one.
struct OperationMix {
  var random: Seeded
  var accounts: UInt32
  var instruments: [InstrumentID]
  /// Ticks around the middle at which orders are priced.
  var spread: Int64
  private var recent: [OrderID] = []

  init(seed: UInt64, accounts: UInt32, instruments: [InstrumentID], spread: Int64) {
    random = Seeded(seed)
    self.accounts = accounts
    self.instruments = instruments
    self.spread = spread
  }

  mutating func next(nonce: UInt64, market: MarketDefinition) -> (OrderID, Market.Operation) {
    let account = UInt32.random(in: 1...accounts, using: &random)
    var name = OrderID(account: AccountID(account), key: .owner, nonce: nonce, index: 0)
    let instrument = market[instruments.randomElement(using: &random)!]!
    let middle = Price(whole: 1_000).units / instrument.tickSize.units
    var operation = Market.Operation(
      kind: .new, side: .random(using: &random) ? .buy : .sell, instrument: instrument.id,
      price: Price(units: (middle + .random(in: -spread...spread, using: &random)) * instrument.tickSize.units),
      quantity: Quantity(units: .random(in: 1...20, using: &random) * instrument.lotSize.units))
    let dice = Int.random(in: 0..<100, using: &random)
    if dice < 45 || recent.isEmpty {
      switch Int.random(in: 0..<20, using: &random) {
      case 0...2: operation.rawTimeInForce = Market.Operation.TimeInForce.immediateOrCancel.rawValue
      case 3, 4: operation.rawTimeInForce = Market.Operation.TimeInForce.fillOrKill.rawValue
      case 5, 6: operation.flags = .postOnly
      case 7, 8: operation.flags = .reduceOnly
      case 9:
        operation.rawType = Market.Operation.OrderType.market.rawValue
        operation.price = .zero
      default: break
      }
      recent.append(name)
      if recent.count > 400 { recent.removeFirst(200) }
      return (name, operation)
    }
    if dice < 99 {
      let target = recent.randomElement(using: &random)!
      name.account = target.account
      operation.targetNonce = target.nonce
      operation.rawKind =
        (dice < 75 ? Market.Operation.Kind.cancel : dice < 88 ? .replace : .amend).rawValue
      if operation.kind == .replace, .random(in: 0..<8, using: &random) == 0 { operation.flags = .reduceOnly }
    } else {
      operation.rawKind = Market.Operation.Kind.cancelAll.rawValue
    }
    return (name, operation)
  }
}

@Suite struct DifferentialTests {
  /// Operations a seed; cluster/test --long takes twenty times as many.
  static let steps = ProcessInfo.processInfo.environment["NOVATION_LONG_TESTS"] == nil ? 55_000 : 1_100_000

  @Test(arguments: [
    (UInt64(1), UInt32(6), Int64(6)), (2, 3, 2), (3, 12, 40), (4, 2, 3),
  ])
  func theShardAgreesWithANaiveOne(seed: UInt64, accounts: UInt32, spread: Int64) {
    let venue = Venue(accounts: accounts) { $0.stepBound = 1_000_000 }
    var naive = NaiveShard()
    var mix = OperationMix(
      seed: seed, accounts: accounts, instruments: [Venue.linear, Venue.inverse], spread: spread)
    var shownTrades = 0
    for step in 1...Self.steps {
      if step % 500 == 0 {
        venue.now = venue.now + .seconds(1)
        venue.marks()
      }
      venue.nonce += 1
      let (name, operation) = mix.next(nonce: venue.nonce, market: venue.market)
      let lotSize = venue.market[operation.instrument]!.lotSize.units
      let expected = naive.apply(
        operation, by: name, lotSize: lotSize, bandLow: Price(whole: 500).units, bandHigh: Price(whole: 1_500).units)
      let said = venue.act(name.account.rawValue, [operation], nonce: name.nonce)
      let trades = naive.trades[shownTrades...]
      shownTrades = naive.trades.count
      let agrees =
        said.replies.count == 1 && said.outcome == expected.0 && said.filled == expected.1
        && said.fills.count == trades.count * 2
        && zip(trades, stride(from: 0, to: said.fills.count, by: 2)).allSatisfy { trade, place in
          let maker = said.fills[place]
          let taker = said.fills[place + 1]
          return maker.order == trade.maker && taker.order == trade.taker && maker.price.units == trade.price
            && abs(maker.lots.count) == trade.lots && maker.lots == -taker.lots && maker.cash == -taker.cash
            && maker.instrument == trade.instrument
        }
      #expect(agrees, "seed \(seed), step \(step): \(operation) gave \(said.results), expected \(expected)")
      if !agrees { return }
      if step % 1_000 == 0 { compare(venue, naive, accounts) }
      // The naive engine's time grows with its book.
      if naive.open.count > 400 {
        for account in 1...accounts {
          for instrument in [Venue.linear, Venue.inverse] {
            let all = Market.Operation(kind: .cancelAll, instrument: instrument)
            venue.act(account, all)
            let name = OrderID(account: AccountID(account), key: .owner, nonce: venue.nonce, index: 0)
            _ = naive.apply(all, by: name, lotSize: 1, bandLow: 0, bandHigh: 0)
          }
        }
      }
    }
    compare(venue, naive, accounts)
    #expect(shownTrades > 5_000)
  }

  private func compare(_ venue: Venue, _ naive: NaiveShard, _ accounts: UInt32) {
    for instrument in [Venue.linear, Venue.inverse] {
      let book = venue.machine.bookSnapshot(instrument)!
      for (side, levels) in [(Side.buy, book.bids), (.sell, book.asks)] {
        let expected = naive.levels(instrument, side)
        #expect(levels.map(\.price.units) == expected.map(\.price))
        #expect(levels.map(\.lots.count) == expected.map(\.lots))
        #expect(levels.map(\.orders) == expected.map(\.orders))
        for level in levels {
          let queue = venue.machine.queue(instrument, side, at: level.price).map(\.order)
          let wanted = naive.open.filter {
            $0.instrument == instrument && $0.side == side && $0.price == level.price.units
          }
          #expect(queue == wanted.map(\.name))
        }
      }
      for account in 1...accounts {
        #expect(venue.position(account, instrument) == naive.position(account, instrument))
      }
    }
    venue.checkCredit()
  }

  @Test func bookDeltasRebuildTheBook() {
    let venue = Venue()
    var mix = OperationMix(seed: 11, accounts: 4, instruments: [Venue.linear], spread: 8)
    var copy: [Side: [Int64: Int64]] = [.buy: [:], .sell: [:]]
    var sequence: UInt64 = 0
    for _ in 0..<5_000 {
      venue.nonce += 1
      let (name, operation) = mix.next(nonce: venue.nonce, market: venue.market)
      for delta in venue.act(name.account.rawValue, [operation], nonce: name.nonce).deltas {
        sequence += 1
        #expect(delta.sequence == sequence)
        copy[delta.side]![delta.price.units] = delta.lots == .zero ? nil : delta.lots.count
      }
    }
    let book = venue.machine.bookSnapshot(Venue.linear)!
    #expect(book.sequence == sequence)
    #expect(
      book.bids.map { [$0.price.units, $0.lots.count] } == copy[.buy]!.sorted { $0.key > $1.key }.map { [$0, $1] })
    #expect(
      book.asks.map { [$0.price.units, $0.lots.count] } == copy[.sell]!.sorted { $0.key < $1.key }.map { [$0, $1] })
  }
}
