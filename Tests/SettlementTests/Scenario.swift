import Bytes
import Machine
import Market
import Settlement

/// Random but balanced days of the exchange: deposits, trades, fees, marks, withdrawals.
struct Scenario {
  var random: Seeded
  var accounts: [AccountID] = []
  init(seed: UInt64) { random = Seeded(seed) }

  mutating func deposit(in world: World) {
    let owner = UInt8.random(in: 1...12, using: &random)
    let account = world.deposit(
      owner, UInt8.random(in: 0...2, using: &random), Int64.random(in: 1...1_000_000, using: &random))
    if !accounts.contains(account) { accounts.append(account) }
  }

  /// Fills one machine's commitment of an epoch.
  mutating func fill(_ commitment: inout Commitment, _ market: MarketDefinition) {
    guard let shard = commitment.machine.shard else { return fillRisk(&commitment, market) }
    commitment.fillNumber = UInt64(commitment.seal.lastSequence.rawValue)
    guard accounts.count > 1 else { return }
    for _ in 0..<Int.random(in: 0...6, using: &random) {
      let instrument = market.instruments(of: shard).randomElement(using: &random)!
      let pair = accounts.shuffled(using: &random).prefix(2)
      let currency = instrument.settlementCurrency.rawValue
      let cash = Int64.random(in: -5_000...5_000, using: &random)
      commitment.trade(pair[0], pair[1], instrument.id.rawValue, Int64.random(in: -3...3, using: &random))
      commitment.move(pair[0], currency, cash)
      commitment.move(pair[1], currency, -cash - 2)
      commitment.move(.house, currency, 2)
    }
  }

  private mutating func fillRisk(_ commitment: inout Commitment, _ market: MarketDefinition) {
    for instrument in market.instruments where Bool.random(using: &random) {
      let price = instrument.settlement == .coin ? Int64.random(in: 1...90_000_000, using: &random) : 4_000_000_000_000
      commitment.mark(instrument.id.rawValue, Price(units: price))
    }
    guard let account = accounts.randomElement(using: &random), Bool.random(using: &random) else { return }
    commitment.withdraw(account, UInt8.random(in: 0...2, using: &random), 3, nonce: random.next())
  }

  /// Drives `epochs` through the world, with some of them on the way together.
  mutating func run(_ world: World, epochs: Int) {
    var sealed: [UInt32] = []
    for epoch in 1...epochs {
      for _ in 0..<Int.random(in: 0...2, using: &random) { deposit(in: world) }
      sealed.append(world.machine.epoch.rawValue)
      world.sealEpoch()
      if sealed.count < 3, epoch < epochs, Bool.random(using: &random) { continue }
      for epoch in sealed { world.commitAll(epoch) { fill(&$0, world.market) } }
      sealed = []
      world.settle()
    }
  }
}
