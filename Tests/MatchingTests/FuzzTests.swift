import Bytes
import Machine
import Market
import Testing

@testable import Matching

@Suite struct FuzzTests {
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func noBytesTrapAShard(seed: UInt64) {
    var random = Seeded(seed)
    let venue = Venue {
      $0.stepBound = 50
      $0.makerFee = .max
      $0.takerFee = .max
    }
    let kinds: [InputKind] = InputKind.allCases
    var corpus: [(InputKind, [UInt8])] = []
    for account in 1...4 as ClosedRange<UInt32> {
      let operation = venue.order(.buy, 5, "1000")
      corpus.append((.action, venue.action(account, [operation, operation], nonce: 1).encoded))
      corpus.append((.action, venue.action(account, [venue.order(.sell, 5, "1000")], nonce: 2).encoded))
    }
    let messages: [any StreamMessage] = [
      Credit(account: AccountID(1), owner: Venue.owner(1), version: 9, ceiling: Money(whole: 5), isForced: true),
      Grant(account: AccountID(1), request: 1, charge: Money(units: .max)),
      CreditRefused(account: AccountID(1), request: 1, outcome: .halted), Freeze(account: AccountID(2), id: 1),
      Release(account: AccountID(2), id: 1),
      Liquidate(
        account: AccountID(2), id: 1, step: 1, instrument: Venue.linear, lots: Lots(.min), limit: Price(units: .max)),
      Settle(instrument: Venue.future, index: Price(units: .max)), Heartbeat(number: 1, stamp: .never),
      Halt(isHalted: false),
    ]
    for message in messages {
      var writer = ByteWriter()
      var body = ByteWriter()
      body.u8(type(of: message).kind.rawValue)
      message.write(to: &body)
      writer.blob(body.bytes)
      corpus.append((.stream, writer.array))
    }
    let entry = ShardMarks.Entry(
      instrument: Venue.linear, mark: Price(whole: 1_000), marginToBuy: .zero, marginToSell: Money(units: .max),
      bandLow: Price(units: .min), bandHigh: Price(units: .max))
    corpus.append(
      (.marks, ShardMarks(version: 99, stamp: .never, index: Price(units: .max), entries: [entry]).encoded))
    corpus.append((.sessionEnd, SessionEnd(session: 0, generation: .max).encoded))
    let extremes: [UInt64] = [0, 1, .max, UInt64(Int64.max), 1 << 63, 1 << 62, 100_000_000_000, 10_000_000]
    for step in 0..<12_000 {
      var (kind, bytes) = corpus.randomElement(using: &random)!
      let changes = Int.random(in: 0...4, using: &random)
      for _ in 0..<changes where bytes.count > 8 {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
        case 1:
          let place = Int.random(in: 0...(bytes.count - 8) / 8, using: &random) * 8
          let value = extremes.randomElement(using: &random)!
          for byte in 0..<8 where place + byte < bytes.count {
            bytes[place + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
          }
        case 2: bytes.removeLast(.random(in: 0...min(9, bytes.count), using: &random))
        default: bytes.append(.random(in: 0...255, using: &random))
        }
      }
      if kind == .action, bytes.count >= 16 {
        for byte in 0..<4 { bytes[8 + byte] = UInt8(truncatingIfNeeded: step >> (8 * byte)) }
      }
      if .random(in: 0..<20, using: &random) == 0 { kind = kinds.randomElement(using: &random)! }
      if .random(in: 0..<40, using: &random) == 0 {
        bytes = (0..<Int.random(in: 0..<400, using: &random)).map { _ in .random(in: 0...255, using: &random) }
      }
      if .random(in: 0..<2_000, using: &random) == 0 {
        venue.now = venue.now + .seconds(.random(in: 0...100, using: &random))
      }
      let next = venue.machine.streams.lastReceived(from: .risk) + 1
      venue.apply(
        kind, bytes, source: kind == .stream ? .risk : .none,
        firstNumber: kind == .stream ? next : 0, count: kind == .stream ? 1 : 0)
      if step % 300 == 0 { venue.checkCredit() }
    }
    #expect(venue.machine.stateHash() != 0)
  }

  @Test func stampsAtTheLimitsNeitherTrapNorHang() {
    let venue = Venue()
    for nanoseconds in [Int64.min, -1, .max / 2, .max - 1, .max] {
      venue.now = Timestamp(nanoseconds: nanoseconds)
      let order = venue.order(.buy, 1, "1000", Venue.linear, .day)
      var action = venue.action(1, [order], nonce: UInt64(bitPattern: nanoseconds), expiry: .max)
      venue.apply(.action, action.encoded)
      action.header.expiry = UInt64(Int64.max)
      venue.apply(.action, action.encoded)
      venue.apply(.tick, [])
      venue.marks()
    }
    #expect(venue.machine.nextDeadline <= .never)
  }

  @Test func quantitiesAtTheLimitsNeverOverflow() {
    var parameters = MarketParameters()
    parameters.makerFee = 5_000_000
    parameters.takerFee = 5_000_000
    var market = Venue.market(parameters)
    for place in market.instruments.indices {
      market.instruments[place].maximumOrder = Lots(.max)
      market.instruments[place].lotSize = Quantity(units: 3)
      market.instruments[place].tickSize = Price(units: place == 0 ? 1 << 40 : 1)
    }
    let venue = Venue(accounts: 0)
    venue.machine = ShardMachine(id: .shard(ShardID(0)))
    venue.riskNumber = 0
    venue.creditVersions = [:]
    venue.apply(.genesis, market.encoded)
    let wide = market.instruments.map {
      ShardMarks.Entry(
        instrument: $0.id, mark: Price(units: 1), marginToBuy: Money(units: 1), marginToSell: Money(units: .max / 4),
        bandLow: Price(units: .min), bandHigh: Price(units: .max))
    }
    venue.apply(.marks, ShardMarks(version: 1, stamp: venue.now, index: Price(units: .max), entries: wide).encoded)
    venue.risk(Heartbeat(number: 1, stamp: venue.now))
    for account in 1...3 as ClosedRange<UInt32> { venue.credit(account, ceiling: Money(units: .max)) }
    var random = Seeded(4)
    var accepted = 0
    for _ in 0..<4_000 {
      let instrument = market.instruments[.random(in: 0..<4, using: &random)]
      let lots = Int64.random(in: 1...3, using: &random) << Int64.random(in: 0...60, using: &random)
      let ticks = Int64.random(in: 0...4_194_303, using: &random)
      let operation = Market.Operation(
        kind: .new, side: .random(using: &random) ? .buy : .sell, instrument: instrument.id,
        price: Price(units: ticks &* instrument.tickSize.units), quantity: Quantity(units: lots &* 3))
      let said = venue.act(.random(in: 1...3, using: &random), operation)
      if said.outcome?.isAccepted == true { accepted += 1 }
      for pair in stride(from: 0, to: said.fills.count, by: 2) {
        #expect(said.fills[pair].cash.units == -said.fills[pair + 1].cash.units)
      }
    }
    #expect(accepted > 300)
    venue.checkCredit()
  }
}
