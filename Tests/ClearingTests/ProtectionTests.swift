import Bytes
import Machine
import Market
import Testing

@testable import Clearing

@Suite struct ProtectionTests {
  static let btc = UnderlyingID(0)
  static let eth = UnderlyingID(1)

  /// One underlying in every shard of `count`, a perpetual in each.
  static func wide(_ count: UInt16) -> MarketDefinition {
    var definition = TestMarket.definition()
    let perpetual = definition.instruments[0]
    definition.shardCount = count
    definition.instruments = (0..<count).map { shard in
      var instrument = perpetual
      instrument.id = InstrumentID(UInt32(shard))
      instrument.name = "I\(shard)"
      instrument.shard = ShardID(shard)
      return instrument
    }
    return definition
  }

  @Test func aTripReachesTheOtherShardsOfTheUnderlyingInOrderAndNoneElse() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 1_000))
    _ = driver.take()
    let until = driver.now + .seconds(5)
    driver.from(1, ProtectionTripped(account: AccountID(1), underlying: Self.btc, until: until))
    let sent = driver.take()
    #expect(sent.map(\.destination) == [.shard(ShardID(0))])
    #expect(sent[0].read(ProtectionFreeze.self) == ProtectionFreeze(account: AccountID(1), until: until))
    driver.from(2, ProtectionTripped(account: AccountID(1), underlying: Self.eth, until: .never))
    #expect(driver.take().map(\.destination) == [.shard(ShardID(3))])
    #expect(driver.machine.refusals == 0)
  }

  @Test func aWideUnderlyingIsToldInAscendingOrderWithoutTheSender() {
    var driver = RiskDriver(Self.wide(6))
    driver.deposit(1, Money(whole: 1_000))
    _ = driver.take()
    driver.from(3, ProtectionTripped(account: AccountID(1), underlying: Self.btc, until: .never))
    #expect(driver.take().map(\.destination.index) == [0, 1, 2, 4, 5])
  }

  @Test func aForeignTripIsRefusedAndCounted() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 1_000))
    _ = driver.take()
    let foreign: [(Int, ProtectionTripped)] = [
      (2, .init(account: AccountID(1), underlying: Self.btc, until: .never)),
      (0, .init(account: AccountID(1), underlying: UnderlyingID(9), until: .never)),
      (0, .init(account: AccountID(8), underlying: Self.btc, until: .never)),
      (0, .init(account: .house, underlying: Self.btc, until: .never)),
      (0, .init(account: AccountID(1), underlying: Self.btc, until: Timestamp(nanoseconds: -1))),
    ]
    for (count, (shard, tripped)) in foreign.enumerated() {
      driver.from(shard, tripped)
      #expect(driver.machine.refusals == UInt64(count + 1))
    }
    #expect(driver.take().isEmpty)
  }

  @Test func aTripCutShortOrTooLongIsRefused() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 1_000))
    _ = driver.take()
    let body =
      [MessageKind.protectionTripped.rawValue]
      + ProtectionTripped(account: AccountID(1), underlying: Self.btc, until: .never).encoded
    for (number, payload) in [Array(body.dropLast()), body + [0]].enumerated() {
      var writer = ByteWriter()
      payload.withUnsafeBytes { writer.blob($0) }
      driver.input(.stream, writer.array, source: .shard(ShardID(0)), first: UInt64(number + 1), count: 1)
    }
    #expect(driver.machine.refusals == 2)
    #expect(driver.take().isEmpty)
  }

  /// The bound of the shard's rules: with shares of ⌈limit / n⌉ and quotes of at most q, an account trades less than
  /// limit + n · q + n before every shard has stopped it, however late the freezes come.
  @Test(arguments: 0..<30) func theOvershootOverAllShardsStaysBelowItsBound(seed: UInt64) {
    var random = Seeded(seed)
    let shards = Int(random.within(1...8))
    let limit = random.within(1...5_000)
    let quote = random.within(1...700)
    let share = (limit + Int64(shards) - 1) / Int64(shards)
    var driver = RiskDriver(Self.wide(UInt16(shards)))
    driver.deposit(1, Money(whole: 1_000))
    _ = driver.take()
    var filled = Array(repeating: Int64(0), count: shards)
    var isStopped = Array(repeating: false, count: shards)
    var trips: [Int] = []
    var freezes: [Int] = []
    // In half of the runs no freeze arrives before every shard has tripped by itself.
    let isLate = seed % 2 == 0
    while isStopped.contains(false) {
      let shard = random.below(shards)
      if !isStopped[shard] {
        filled[shard] += random.chance(50) ? quote : random.within(1...quote)
        if filled[shard] > share {
          isStopped[shard] = true
          trips.append(shard)
        }
      }
      if isLate || random.chance(60) { continue }
      if !trips.isEmpty {
        driver.from(
          trips.removeFirst(), ProtectionTripped(account: AccountID(1), underlying: Self.btc, until: .never))
      }
      freezes += driver.take().filter { $0.kind == .protectionFreeze }.map { Int($0.destination.index) }
      if !freezes.isEmpty { isStopped[freezes.removeFirst()] = true }
    }
    #expect(filled.reduce(0, +) < limit + Int64(shards) * quote + Int64(shards), "seed \(seed)")
    #expect(filled.allSatisfy { $0 <= share + quote })
  }
}
