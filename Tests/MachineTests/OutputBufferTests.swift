import Bytes
import Machine
import Market
import Testing

struct OutputBufferTests {
  private struct Seen: Equatable {
    var kind: OutputBuffer.Kind
    var destination: UInt32
    var number: UInt64
    var payload: [UInt8]
  }

  private func records(_ output: borrowing OutputBuffer) -> [Seen] {
    var seen: [Seen] = []
    func keep(_ record: OutputBuffer.Record) {
      seen.append(
        Seen(
          kind: record.kind, destination: record.destination, number: record.number, payload: [UInt8](record.payload)))
    }
    output.forEach(keep)
    return seen
  }

  private let heartbeat = Heartbeat(number: 4, stamp: Timestamp(seconds: 9))
  private let reply = ActionReply(
    machine: .shard(ShardID(2)), account: AccountID(7), key: .owner, nonce: 11, term: Term(1),
    sequence: SequenceNumber(40), stamp: Timestamp(seconds: 1), isRepeated: false,
    results: [.init(outcome: .resting), .init(outcome: .filled, filled: Lots(3))])
  private let delta = BookDelta(
    instrument: InstrumentID(5), event: .added, side: .sell, price: Price(whole: 10), lots: Lots(2), order: 9,
    orderLots: Lots(2), sequence: 77, checksum: 3)
  private let status = InstrumentStatus(instrument: InstrumentID(5), state: .halted, sequence: 77)
  private let report = ExecutionReport(
    event: .fill, shard: ShardID(2), sequence: SequenceNumber(40), stamp: Timestamp(seconds: 1),
    order: OrderID(account: AccountID(7), key: .owner, nonce: 11, index: 0), instrument: InstrumentID(5),
    outcome: .filled, fillNumber: 3, lots: Lots(1), price: Price(whole: 10))

  @Test func recordsComeBackInOrderAsTheyWereSaid() {
    var output = OutputBuffer(capacity: 64)
    var streams = StreamNumbers()
    output.send(heartbeat, to: .risk, &streams)
    output.reply(reply, to: SequenceNumber(40))
    output.report(report)
    output.book(delta)
    output.status(status)
    output.effect(2, Epoch(6))
    output.send(heartbeat, to: .risk, &streams)
    #expect(
      records(output) == [
        Seen(
          kind: .stream, destination: MachineID.risk.rawValue, number: 1,
          payload: [MessageKind.heartbeat.rawValue] + heartbeat.encoded),
        Seen(kind: .reply, destination: 0, number: 40, payload: reply.encoded),
        Seen(kind: .report, destination: 7, number: 40, payload: report.encoded),
        Seen(kind: .book, destination: 5, number: 77, payload: delta.encoded),
        Seen(kind: .status, destination: 5, number: 77, payload: status.encoded),
        Seen(kind: .effect, destination: 2, number: 0, payload: [6, 0, 0, 0]),
        Seen(
          kind: .stream, destination: MachineID.risk.rawValue, number: 2,
          payload: [MessageKind.heartbeat.rawValue] + heartbeat.encoded),
      ])
    #expect(output.count == 7)
    #expect(streams.lastSent(to: .risk) == 2)
  }

  @Test func theLayoutIsTheDocumentedOne() {
    var output = OutputBuffer()
    output.effect(0x0A0B, SequenceNumber(0x0102))
    #expect(
      output.writer.array == [5, 0, 0, 0, 0x0B, 0x0A, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0] + [8, 0, 0, 0]
        + [2, 1, 0, 0, 0, 0, 0, 0])
    #expect(output.byteCount == 28)
  }

  @Test func aReplyWrittenPiecemealIsTheSameReply() {
    var whole = OutputBuffer()
    whole.reply(reply, to: SequenceNumber(40))
    var pieces = OutputBuffer()
    pieces.reply(to: SequenceNumber(40)) { reply.write(to: &$0) }
    #expect(whole.writer.array == pieces.writer.array)
    #expect(pieces.count == 1)
  }

  @Test func aClearedBufferIsEmpty() {
    var output = OutputBuffer()
    output.book(delta)
    output.clear()
    #expect(output.count == 0 && output.byteCount == 0 && records(output).isEmpty)
    output.effect(1, Epoch(1))
    #expect(records(output).map(\.kind) == [.effect])
  }

  @Test func growingLosesNoRecord() {
    var output = OutputBuffer(capacity: 64)
    var streams = StreamNumbers()
    for index in 0..<2_000 {
      output.send(Heartbeat(number: UInt64(index), stamp: .zero), to: index % 2 == 0 ? .risk : .settlement, &streams)
    }
    let seen = records(output)
    #expect(seen.count == 2_000 && output.count == 2_000)
    #expect(seen.filter { $0.destination == MachineID.risk.rawValue }.map(\.number) == Array(1...1_000))
    #expect(seen.filter { $0.destination == MachineID.settlement.rawValue }.map(\.number) == Array(1...1_000))
  }
}
