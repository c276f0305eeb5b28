import Authority
import Bytes
import Market
import Messaging
import Testing

@Suite struct AuthorityCodecTests {
  @Test func everyRequestAndAnswerReadsBackAsItWasWritten() throws {
    var table = OwnershipTable()
    var random = Rolls(seed: 11)
    var kinds: Set<UInt8> = []
    for step in 0..<3_000 {
      let request = random.request(of: table)
      #expect(try AuthorityRequest(decoding: request.encoded) == request)
      let answer = table.apply(request, now: MonotonicTime(nanoseconds: Int64(step) * 30_000_000))
      #expect(try AuthorityAnswer(decoding: answer.encoded) == answer)
      kinds.insert(answer.encoded[0])
    }
    #expect(kinds.count >= 9, "\(kinds.sorted())")
  }

  @Test func bytesCutShortAreRefused() {
    let record = Ownership(machine: .risk, term: Term(3), owner: "a", inSync: ["b", "c"])
    let answer = AuthorityAnswer.everything(era: 1, next: 9, records: [record], alive: ["a", "b"])
    for count in 0..<answer.encoded.count {
      #expect(throws: MalformedBytes.self) { try AuthorityAnswer(decoding: Array(answer.encoded[..<count])) }
    }
    #expect(throws: MalformedBytes.self) { try AuthorityAnswer(decoding: answer.encoded + [0]) }
  }

  /// Whatever comes in is read or refused; nothing traps, and what is read is as it would be written.
  @Test func hostileBytesAreReadOrRefused() {
    var random = Rolls(seed: 3)
    let record = Ownership(machine: .risk, term: Term(3), owner: "a", inSync: ["b", "c"])
    let samples = [
      AuthorityRequest.replace(record, expecting: 4).encoded,
      AuthorityRequest.grantLease(node: "a", nonce: 1, milliseconds: 50).encoded,
    ]
    var refused = 0
    for round in 0..<20_000 {
      var bytes = samples[round % 2]
      for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
      if let request = try? AuthorityRequest(decoding: bytes) {
        #expect(request.encoded == bytes)
      } else {
        refused += 1
      }
    }
    #expect(refused > 5_000)
  }
}
