import Bytes
import Machine
import Market
import Testing

@testable import Matching

/// Bytes that nobody sane would send, through both engines.
@Suite struct DifferentialFuzzTests {
  /// Operations of random fields, each likely to be near one that means something.
  private struct Fields {
    var random: Seeded
    mutating func pick(_ bound: UInt64) -> UInt64 { random.next() >> 8 % bound }
    mutating func word() -> UInt64 {
      let edges: [UInt64] = [
        0, 1, .max, UInt64(Int64.max), 1 << 63, 1 << 62, 100_000_000_000, 10_000_000, 100_050_000_000, 99_900_000_000,
      ]
      return pick(3) == 0 ? random.next() : edges[Int(pick(UInt64(edges.count)))]
    }
    mutating func operation() -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: Market.Operation.byteCount)
      bytes[0] = UInt8(pick(14))
      bytes[1] = UInt8(pick(2))
      bytes[2] = UInt8(pick(8))
      bytes[3] = UInt8(pick(6))
      bytes[4] = pick(3) == 0 ? UInt8(truncatingIfNeeded: random.next()) : 0
      bytes[6] = UInt8(pick(6))
      bytes[7] = UInt8(pick(4))
      bytes[8] = UInt8(pick(7))
      for place in [16, 24, 32, 40, 48] where pick(2) == 0 {
        let word = word()
        for byte in 0..<8 { bytes[place + byte] = UInt8(truncatingIfNeeded: word >> UInt64(8 * byte)) }
      }
      if pick(6) == 0 { bytes[Int(pick(64))] = UInt8(truncatingIfNeeded: random.next()) }
      return bytes
    }
  }

  private func parameters() -> MarketParameters {
    var parameters = MarketParameters()
    parameters.stepBound = 5
    parameters.makerFee = .max
    parameters.takerFee = .max
    parameters.openOrdersPerAccount = 20
    parameters.queuedOperations = 4
    parameters.liveNonces = 400
    parameters.operatorAddress = World.owner(0)
    return parameters
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func bothEnginesSurviveAnyFields(_ seed: UInt64) {
    var fields = Fields(random: Seeded(seed))
    var duel = Duel<ShardMachine, NaiveEngine>()
    var script: [RecordedInput] = []
    var now = World.start
    func give(_ input: RecordedInput) -> Bool {
      script.append(input)
      guard let divergence = duel.step(input) else { return true }
      Issue.record("seed \(seed): \(divergence)\n\(Spoken.line(input))\n\(duel.saidLast())")
      return false
    }
    let opening = opening(at: now, wide: seed % 2 == 0)
    for input in opening { if !give(input) { return } }
    for number in 1...5_000 as ClosedRange<UInt64> {
      if fields.pick(3) == 0 { now = now + .milliseconds(Int64(fields.pick(60))) }
      let account = UInt32(fields.pick(20) == 0 ? 0 : 1 + fields.pick(3))
      let count = Int(1 + fields.pick(3))
      let key = World.owner(account)
      let header = SignedActionHeader(
        module: .batch, operationCount: UInt16(count), account: AccountID(account), nonce: number,
        expiry: UInt64(now.seconds + 1), underlying: UnderlyingID(0), signer: key, owner: key,
        signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0))
      var payload = header.encoded
      for _ in 0..<count { payload += fields.operation() }
      if !give(RecordedInput(kind: .action, stamp: now, payload: payload)) { return }
      if number % 200 == 0, !give(risk(Heartbeat(number: number, stamp: now), now)) { return }
      if number % 200 == 0, !give(marks(version: number, now, wide: seed % 2 == 0)) { return }
    }
    #expect(duel.records > 5_000)
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func bothEnginesSurviveAnyBytes(_ seed: UInt64) {
    var random = Seeded(seed &+ 100)
    var mix = Mix.all[1]
    mix.stepBounds = [5]
    var source = RandomInputs(mix, seed: seed)
    var duel = Duel<ShardMachine, NaiveEngine>()
    for number in 0..<6_000 {
      var input = source.next(deadline: duel.deadline)
      if number > 10, random.next() % 3 == 0, !input.payload.isEmpty {
        for _ in 0...(random.next() % 4) where !input.payload.isEmpty {
          let place = Int(random.next() >> 1) % input.payload.count
          switch random.next() % 4 {
          case 0: input.payload.removeLast(min(input.payload.count, Int(random.next() % 9)))
          case 1: input.payload.append(UInt8(truncatingIfNeeded: random.next()))
          default: input.payload[place] = UInt8(truncatingIfNeeded: random.next())
          }
        }
      }
      if random.next() % 60 == 0 {
        input.payload = (0..<Int(random.next() % 400)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      }
      if random.next() % 60 == 0 { input.kind = InputKind.allCases[Int(random.next() >> 1) % InputKind.allCases.count] }
      if let divergence = duel.step(input) {
        Issue.record("seed \(seed): \(divergence)\n\(Spoken.line(input))\n\(duel.saidLast())")
        return
      }
    }
  }

  /// Genesis, marks, and three accounts whose ceilings are as high as they can be.
  private func opening(at now: Timestamp, wide: Bool) -> [RecordedInput] {
    var inputs = [RecordedInput(kind: .genesis, stamp: now, payload: market(wide).encoded)]
    inputs.append(marks(version: 1, now, wide: wide))
    inputs.append(risk(Heartbeat(number: 1, stamp: now), now))
    for account in 1...3 as ClosedRange<UInt32> {
      inputs.append(
        risk(
          Credit(
            account: AccountID(account), owner: World.owner(account), version: 1, ceiling: Money(units: .max)), now))
    }
    return inputs
  }

  /// The small market; `wide`: with lots and sizes that reach the ends of Int64.
  private func market(_ wide: Bool) -> MarketDefinition {
    var market = World.market(parameters())
    for place in market.instruments.indices where wide {
      market.instruments[place].maximumOrder = Lots(.max)
      market.instruments[place].lotSize = Quantity(units: 1)
      market.instruments[place].tickSize = Price(units: place == 0 ? 1 << 40 : 1)
      market.instruments[place].tickSteps = []
    }
    return market
  }

  private func risk(_ message: some StreamMessage, _ now: Timestamp) -> RecordedInput {
    RecordedInput(kind: .stream, stamp: now, payload: World.message(message), source: .risk, count: 1)
  }

  private func marks(version: UInt64, _ now: Timestamp, wide: Bool) -> RecordedInput {
    let entries = World.instruments.map {
      ShardMarks.Entry(
        instrument: $0.id, mark: Price(whole: 1_000), marginToBuy: Money(units: 1),
        marginToSell: Money(units: wide ? .max / 4 : 5), bandLow: Price(units: .min), bandHigh: Price(units: .max),
        delta: 1 << 48, vega: -(1 << 48))
    }
    let marks = ShardMarks(version: version, stamp: now, index: Price(whole: 1_000), entries: entries)
    return RecordedInput(kind: .marks, stamp: now, payload: marks.encoded)
  }
}
