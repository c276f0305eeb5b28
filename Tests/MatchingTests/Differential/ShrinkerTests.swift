import Bytes
import Machine
import Market
import Testing

/// The naive engine with a mistake in it: an order that shrinks, by a trade or otherwise, loses its place.
private struct ForgetfulEngine: EngineUnderTest {
  var engine: NaiveEngine
  init(id: MachineID) { engine = NaiveEngine(id: id) }
  var nextDeadline: Timestamp { engine.nextDeadline }
  var epoch: Epoch { engine.epoch }
  var streams: StreamNumbers { engine.streams }
  func stateHash() -> UInt64 { engine.stateHash() }

  mutating func apply(_ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    let before = engine.orders
    engine.apply(header, payload, into: &output)
    for order in before {
      guard let place = engine.orders.firstIndex(where: { $0.arrival == order.arrival }),
        engine.orders[place].number == order.number, engine.orders[place].lots < order.lots
      else { continue }
      engine.arrivals += 1
      var late = engine.orders.remove(at: place)
      late.number = engine.arrivals
      engine.orders.append(late)
    }
  }
}

@Suite struct ShrinkerTests {
  @Test func aPlantedBugIsFoundAndToldInAFewInputs() throws {
    var records = 0
    var mix = Mix.all[0]
    // Seldom enough that the search has something to throw away.
    mix.spread = 60
    let told = Differential.run(
      NaiveEngine.self, ForgetfulEngine.self, mix, seed: 5, length: 6_000, hashEvery: 64, records: &records)
    let text = try #require(told)
    let line = try #require(text.split(separator: "\n").first { $0.hasSuffix("inputs suffice:") })
    let count = try #require(Int(line.split(separator: " ")[0]))
    #expect(count <= 10, "\(text)")
  }

  @Test func anEngineAgreesWithItself() {
    for mix in Mix.all {
      var records = 0
      let told = Differential.run(
        NaiveEngine.self, NaiveEngine.self, mix, seed: 3, length: 3_000, records: &records)
      #expect(told == nil && records > 3_000)
    }
  }
}
