import Bytes
import Machine
import Market
import Testing

struct StreamNumbersTests {
  @Test func eachStreamCountsFromOneOfItsOwn() {
    var numbers = StreamNumbers()
    #expect(numbers.lastSent(to: .risk) == 0)
    check(numbers.takeNext(to: .risk), is: 1)
    check(numbers.takeNext(to: .settlement), is: 1)
    check(numbers.takeNext(to: .risk), is: 2)
    #expect(numbers.lastSent(to: .risk) == 2 && numbers.lastSent(to: .settlement) == 1)
    #expect(numbers.lastReceived(from: .risk) == 0, "what was sent is not what was received")
  }

  @Test func onlyTheNextMessagesAreConsumed() {
    var numbers = StreamNumbers()
    check(numbers.consume(from: .risk, first: 2, count: 1), is: false, "a gap at the start")
    check(numbers.consume(from: .risk, first: 0, count: 1), is: false, "there is no message 0")
    check(numbers.consume(from: .risk, first: 1, count: 3), is: true)
    check(numbers.consume(from: .risk, first: 1, count: 3), is: false, "a repeat")
    check(numbers.consume(from: .risk, first: 3, count: 2), is: false, "an overlap")
    check(numbers.consume(from: .risk, first: 5, count: 1), is: false, "a gap")
    check(numbers.consume(from: .risk, first: 4, count: 0), is: false, "nothing")
    #expect(numbers.lastReceived(from: .risk) == 3, "a refusal consumes nothing")
    check(numbers.consume(from: .risk, first: 4, count: .max), is: true)
    #expect(numbers.lastReceived(from: .risk) == 3 + UInt64(UInt16.max))
    check(numbers.consume(from: .settlement, first: 1, count: 1), is: true, "other streams are not concerned")
  }

  @Test func peersStandInOrderWhoeverSpokeFirst() {
    var late = StreamNumbers()
    var early = StreamNumbers()
    let peers: [MachineID] = [.shard(ShardID(3)), .settlement, .risk, .shard(ShardID(0))]
    for peer in peers { _ = late.takeNext(to: peer) }
    for peer in peers.reversed() { _ = early.takeNext(to: peer) }
    #expect(late == early && late.encoded == early.encoded && hash(late) == hash(early))
    #expect(late.sent.map(\.peer) == peers.sorted())
  }

  private func hash(_ numbers: StreamNumbers) -> UInt64 {
    var hasher = StateHasher()
    numbers.hash(into: &hasher)
    return hasher.value
  }

  @Test func theySurviveASnapshot() throws {
    var numbers = StreamNumbers()
    _ = numbers.takeNext(to: .risk)
    _ = numbers.consume(from: .settlement, first: 1, count: 9)
    var restored = try StreamNumbers(decoding: numbers.encoded)
    #expect(restored == numbers)
    check(restored.consume(from: .settlement, first: 10, count: 1), is: true)
    #expect(restored != numbers && hash(restored) != hash(numbers))
  }

  @Test func sentAndReceivedAreToldApart() {
    var sent = StreamNumbers()
    var received = StreamNumbers()
    _ = sent.takeNext(to: .risk)
    _ = received.consume(from: .risk, first: 1, count: 1)
    #expect(sent != received && hash(sent) != hash(received))
  }

  @Test func malformedNumbersAreRefused() {
    var numbers = StreamNumbers()
    _ = numbers.takeNext(to: .risk)
    _ = numbers.takeNext(to: .settlement)
    let bytes = numbers.encoded
    for length in bytes.indices {
      #expect(throws: MalformedBytes.self) { try StreamNumbers(decoding: Array(bytes[..<length])) }
    }
    var swapped = bytes
    swapped.swapAt(6, 18)
    swapped.swapAt(4, 16)
    #expect(throws: MalformedBytes.self, "peers out of order") { try StreamNumbers(decoding: swapped) }
    var exhausted = bytes
    for index in 8..<16 { exhausted[index] = 0xFF }
    #expect(throws: MalformedBytes.self, "a number after which none can come") {
      try StreamNumbers(decoding: exhausted)
    }
  }
}
