import Bytes
import Machine
import Market
import Testing

struct StreamMessagesTests {
  private func header(first: UInt64 = 5, count: UInt16) -> InputHeader {
    InputHeader(
      sequence: SequenceNumber(1), stamp: Timestamp(seconds: 1), term: Term(1), kind: .stream, source: .risk,
      epoch: Epoch(1), firstNumber: first, count: count)
  }

  private struct Seen: Equatable {
    var number: UInt64
    var kind: MessageKind?
    var body: [UInt8]
  }

  private func walk(_ header: InputHeader, _ payload: [UInt8]) -> (seen: [Seen], isExhausted: Bool) {
    payload.withUnsafeBytes { payload in
      var messages = StreamMessages(header, payload)
      var seen: [Seen] = []
      while let (number, kind, layout) = messages.next() {
        var body = layout
        seen.append(Seen(number: number, kind: kind, body: [UInt8](body.bytes(body.remaining))))
      }
      return (seen, messages.isExhausted)
    }
  }

  private let halt: [UInt8] = [2, 0, 0, 0, MessageKind.halt.rawValue, 1]
  private let release: [UInt8] =
    [13, 0, 0, 0, MessageKind.release.rawValue] + Release(account: AccountID(3), id: 8).encoded

  @Test func messagesComeInOrderWithTheirNumbers() {
    let (seen, isExhausted) = walk(header(count: 2), halt + release)
    #expect(
      seen == [
        Seen(number: 5, kind: .halt, body: [1]),
        Seen(number: 6, kind: .release, body: Release(account: AccountID(3), id: 8).encoded),
      ])
    #expect(isExhausted)
  }

  @Test func moreOrFewerMessagesThanAnnouncedShow() {
    #expect(!walk(header(count: 1), halt + release).isExhausted)
    let short = walk(header(count: 3), halt + release)
    #expect(short.seen.count == 2 && !short.isExhausted)
    #expect(walk(header(count: 0), []).isExhausted)
    #expect(!walk(header(count: 0), [0]).isExhausted)
  }

  @Test func anUnknownKindIsHandedOutAsUnknown() {
    let (seen, isExhausted) = walk(header(count: 1), [2, 0, 0, 0, 0xEE, 7])
    #expect(seen == [Seen(number: 5, kind: nil, body: [7])])
    #expect(isExhausted)
  }

  @Test func anEmptyMessageHasNoKind() {
    #expect(walk(header(count: 1), [0, 0, 0, 0]).seen.map(\.kind) == [nil])
  }

  @Test func aTruncatedPayloadEndsTheWalk() {
    let payload = halt + release
    for length in payload.indices {
      let (seen, isExhausted) = walk(header(count: 2), Array(payload[..<length]))
      #expect(seen.count == (length < halt.count ? 0 : 1), "\(length) bytes")
      #expect(!isExhausted)
    }
  }

  @Test func aForgedLengthEndsTheWalk() {
    for length: [UInt8] in [[0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0x7F], [3, 0, 0, 0]] {
      let (seen, isExhausted) = walk(header(count: 1), length + [27, 1])
      #expect(seen.isEmpty && !isExhausted)
    }
  }

  @Test func theLastNumberOfAllDoesNotTrap() {
    let (seen, isExhausted) = walk(header(first: .max, count: 2), halt + halt)
    #expect(seen.first?.number == .max)
    #expect(isExhausted)
  }

  @Test func randomBytesNeverTrap() {
    var state: UInt64 = 42
    func random() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    for _ in 0..<20_000 {
      var payload = halt + release + halt
      for _ in 0...(random() % 4) { payload[Int(random()) % payload.count] = UInt8(truncatingIfNeeded: random()) }
      payload.removeLast(Int(random()) % payload.count)
      let count = UInt16(random() % 6)
      let (seen, isExhausted) = walk(header(first: random() % 2 == 0 ? .max - 1 : 1, count: count), payload)
      #expect(seen.count <= Int(count))
      #expect(!isExhausted || seen.count == Int(count))
      let bytes = seen.reduce(0) { $0 + $1.body.count }
      #expect(bytes <= payload.count)
    }
  }

  @Test func aSessionEndRoundTrips() throws {
    let end = SessionEnd(session: 9, generation: .max)
    #expect(try SessionEnd(decoding: end.encoded) == end)
    #expect(throws: MalformedBytes.self) { try SessionEnd(decoding: end.encoded.dropLast()) }
  }
}
