import Bytes
import Machine
import Market
import Testing

@testable import Clearing

/// The aggregator and four model shards with messages under way in any order between streams, each stream in its own.
/// After every input the aggregator's promises are checked against what the test itself has counted.
struct Interleaving: ~Copyable {
  /// One line as the test counts it, from the messages alone.
  struct Count {
    var stated: Int64 = 0
    var sent: [(version: UInt64, ceiling: Int64)] = []
    var consumed: Int64 = 0
    var highest: Int64 { sent.reduce(stated) { max($0, $1.ceiling) } }
  }

  var driver: RiskDriver
  let shards: [ModelShard]
  var random: Seeded
  let accounts: [UInt32]
  var index: [Int64] = [100_000, 4_000]
  private var counts: [UInt32: [Count]] = [:]
  private var numbers: [UInt64] = [0, 0, 0, 0]
  private var beats: UInt64 = 0
  private var nonce: UInt64 = 0
  private var deposited: Int64 = 0
  private var withdrawn: Int64 = 0
  private(set) var raises = 0
  private(set) var liquidations = 0
  private(set) var breaches: [String] = []
  let seed: UInt64
  /// Largest margin of an order, in USD.
  var largestOrder: Int64 = 4_000

  init(seed: UInt64, accounts: Int, adjust: (inout MarketParameters) -> Void = { _ in }) {
    self.seed = seed
    random = Seeded(seed)
    let definition = TestMarket.definition {
      $0.haltAfterEpochs = 1_000_000
      adjust(&$0)
    }
    driver = RiskDriver(definition)
    shards = (0..<4).map { ModelShard($0, definition) }
    self.accounts = (1...accounts).map { UInt32($0) }
    mark()
    for account in self.accounts { deposit(account, random.within(1_000...50_000)) }
  }

  mutating func deposit(_ account: UInt32, _ amount: Int64) {
    deposited += amount
    driver.deposit(account, Money(whole: amount))
    settle()
  }

  mutating func mark() {
    driver.mark(0, index: index[0])
    settle()
    driver.mark(1, index: index[1])
    settle()
  }

  /// One random thing happens.
  mutating func step(movesMarks: Bool) {
    switch random.below(100) {
    case 0..<30: place()
    case 30..<50: fill()
    case 50..<55: cancel()
    case 55..<75:
      shards[random.below(4)].receive(&random)
    case 75..<94: deliver(random.below(4), resend: random.chance(10))
    case 94: if movesMarks { moveMarks() }
    case 95: if random.chance(20) { deposit(accounts[random.below(accounts.count)], random.within(1...5_000)) }
    case 96: withdraw()
    default: beat(after: .milliseconds(random.within(1...40)))
    }
  }

  /// Time passes; every shard says so.
  mutating func beat(after interval: Interval = .milliseconds(100)) {
    driver.advance(interval)
    beats += 1
    for shard in shards { shard.outbox.append(RiskDriver.frame(Heartbeat(number: beats, stamp: driver.now))) }
    driver.input(.tick)
    settle()
  }

  mutating func seal() {
    driver.seal(driver.machine.epoch.rawValue)
    settle()
  }

  private mutating func moveMarks() {
    for underlying in 0..<2 {
      let reach = index[underlying] / 25
      index[underlying] = max(100, index[underlying] + random.within(-reach...reach))
    }
    mark()
  }

  private mutating func place() {
    let account = accounts[random.below(accounts.count)]
    let tradable = driver.definition.instruments.filter { $0.expiry > driver.now }
    let instrument = tradable[random.below(tradable.count)]
    let board = driver.machine.board
    let id = Int(instrument.id.rawValue)
    let mark = Price(units: board.marks[id])
    let band = Price(units: mark.units / 20)
    let currencyIndex = Price(units: board.index(of: Int(instrument.settlementCurrency.rawValue)))
    guard let margin = try? PublishedMargin(instrument, on: board, band: band) else { return }
    let size = max(1, Money(whole: random.within(5...largestOrder)).units / max(1, margin.toSell.units))
    let lots = random.chance(50) ? size : -size
    let price = Price(units: max(1, mark.units + random.within(-band.units...band.units)))
    let (charge, _, _) = CoveringTests.charge(
      instrument, lots: lots, at: price, mark: mark, currencyIndex: currencyIndex, margin: margin,
      fee: driver.definition.parameters.takerFee)
    shards[Int(instrument.shard.rawValue)].place(
      account, instrument.id, lots: lots, at: price, charge: Int64(clamping: charge))
  }

  private mutating func fill() {
    let shard = shards[random.below(4)]
    let resting = shard.orders.indices.filter { shard.orders[$0].request == nil }
    guard !resting.isEmpty else { return }
    let index = resting[random.below(resting.count)]
    let lots = shard.orders[index].lots
    let part = random.chance(40) ? lots : lots > 0 ? random.within(1...lots) : random.within(lots...(-1))
    shard.fill(index, part)
  }

  private mutating func cancel() {
    let shard = shards[random.below(4)]
    if !shard.orders.isEmpty { shard.cancel(random.below(shard.orders.count)) }
  }

  private mutating func withdraw() {
    guard random.chance(30) else { return }
    nonce += 1
    let account = accounts[random.below(accounts.count)]
    let before = driver.view(account).ledger[0]
    driver.withdraw(account, Money(whole: random.within(1...20_000)), nonce: nonce)
    if driver.view(account).ledger[0] > before { breaches.append("a withdrawal raised a ledger") }
    settle()
  }

  /// Lets one or a few messages of a shard arrive, or old ones again.
  private mutating func deliver(_ id: Int, resend: Bool) {
    let shard = shards[id]
    guard !shard.outbox.isEmpty else { return }
    let frames = Array(shard.outbox.prefix(random.below(3) + 1))
    let header = (first: numbers[id] + 1, count: UInt16(frames.count))
    count(frames, from: id)
    driver.input(
      .stream, frames.flatMap { $0 }, source: .shard(ShardID(UInt16(id))), first: header.first, count: header.count)
    shard.outbox.removeFirst(frames.count)
    numbers[id] += UInt64(frames.count)
    settle()
    if resend {
      let hash = driver.machine.view(of: AccountID(accounts[0]))
      driver.input(
        .stream, frames.flatMap { $0 }, source: .shard(ShardID(UInt16(id))), first: header.first, count: header.count)
      if driver.machine.view(of: AccountID(accounts[0])) != hash { breaches.append("a resend changed an account") }
      settle()
    }
  }

  /// Keeps the test's own count of ceilings, from the messages that are about to arrive.
  private mutating func count(_ frames: [[UInt8]], from id: Int) {
    for frame in frames {
      let body = Array(frame.dropFirst(5))
      switch MessageKind(rawValue: frame[4]) {
      case .fill:
        let fill = try! Fill(decoding: body)
        counts[fill.account.rawValue]![id].consumed = fill.consumed.units
      case .creditTaken:
        let taken = try! CreditTaken(decoding: body)
        counts[taken.account.rawValue]![id].sent.removeAll { $0.version <= taken.version }
        counts[taken.account.rawValue]![id].stated = taken.ceiling.units
        counts[taken.account.rawValue]![id].consumed = taken.consumed.units
      case .grantClosed:
        let closed = try! GrantClosed(decoding: body)
        counts[closed.account.rawValue]![id].stated = closed.ceiling.units
        counts[closed.account.rawValue]![id].consumed = closed.consumed.units
      case .freezeTaken:
        let taken = try! FreezeTaken(decoding: body)
        counts[taken.account.rawValue]![id].sent.removeAll()
        counts[taken.account.rawValue]![id].stated = taken.consumed.units
        counts[taken.account.rawValue]![id].consumed = taken.consumed.units
      default: break
      }
    }
  }

  /// Hands out what was sent, and checks every raise.
  private mutating func settle() {
    for sent in driver.take() {
      guard let shard = sent.destination.shard else { continue }
      shards[Int(shard.rawValue)].inbox.append(sent)
      if sent.kind == .freeze { liquidations += 1 }
      guard let credit = sent.read(Credit.self) else { continue }
      let account = credit.account.rawValue
      if counts[account] == nil { counts[account] = Array(repeating: Count(), count: 4) }
      let line = counts[account]![Int(shard.rawValue)]
      let isRaise = credit.ceiling.units > line.highest
      counts[account]![Int(shard.rawValue)].sent.append((credit.version, credit.ceiling.units))
      if isRaise {
        raises += 1
        checkCredit(account)
      }
    }
  }

  /// Invariant 3, from the test's own count.
  private mutating func checkCredit(_ account: UInt32) {
    let view = driver.view(account)
    guard let standing = view.standing, let pending = view.pendingWithdrawals else {
      breaches.append("account \(account) was given credit though it cannot be measured")
      return
    }
    let outstanding = counts[account]!.reduce(Int128(0)) { $0 + Int128(max(0, $1.highest - $1.consumed)) }
    if outstanding + Int128(pending.units) > Int128(standing.free.units) {
      breaches.append("account \(account): \(outstanding) + \(pending) > \(standing.free)")
    }
  }

  /// Lets everything arrive.
  mutating func drain() {
    var rounds = 0
    while !shards.allSatisfy(\.isIdle), rounds < 100_000 {
      rounds += 1
      for id in 0..<4 {
        shards[id].receive(&random)
        deliver(id, resend: false)
      }
    }
    if rounds == 100_000 { breaches.append("messages never come to an end") }
  }

  /// Positions, the house's fees, and what shards hold, once everything has arrived.
  mutating func checkAtRest() {
    for account in accounts {
      var expected: [InstrumentID: Int64] = [:]
      for shard in shards { for (id, lots) in shard.positions[account] ?? [:] where lots != 0 { expected[id] = lots } }
      let held = Dictionary(
        uniqueKeysWithValues: driver.view(account).positions.map { ($0.instrument, $0.lots.count) })
      if held != expected { breaches.append("account \(account): \(held) is not \(expected)") }
    }
    for currency in 0..<3 {
      let fees = shards.reduce(0) { $0 + $1.fees[currency] }
      if driver.view(0).ledger[currency].units != fees { breaches.append("the house lost fees") }
    }
    if shards.contains(where: \.isBroken) { breaches.append("a shard used more than its ceiling") }
    if driver.machine.vaultHoldings[0] < .zero { breaches.append("the vault was overdrawn") }
  }
}
