import Bytes
import Machine
import Market

extension NaiveEngine {
  func reply(
    _ account: AccountID, _ key: KeyID, _ nonce: UInt64, _ term: Term, _ sequence: SequenceNumber, _ stamp: Timestamp,
    isRepeated: Bool, _ results: [NaiveAnswer], into output: inout OutputBuffer
  ) {
    let reply = ActionReply(
      machine: id, account: account, key: key, nonce: nonce, term: term, sequence: sequence, stamp: stamp,
      isRepeated: isRepeated,
      results: results.map { ActionReply.Result(outcome: $0.outcome, filled: Lots($0.filled)) })
    output.reply(reply, to: self.sequence)
  }

  /// Answers bytes that are no action of this shard's, as far as they name a nonce.
  func refuseMalformed(_ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    var reader = ByteReader(payload)
    _ = reader.u16()
    let count = Int(reader.u16())
    let account = AccountID(from: &reader)
    let nonce = reader.u64()
    _ = reader.u64()
    let key = KeyID(from: &reader)
    let isPlausible = count >= 1 && count <= SignedActionHeader.maximumOperations
    let results = [NaiveAnswer](repeating: NaiveAnswer(outcome: .malformed), count: isPlausible ? count : 1)
    reply(account, key, nonce, term, sequence, now, isRepeated: false, results, into: &output)
  }

  func report(
    _ event: ExecutionReport.Event, _ account: Int, _ name: NaiveName, _ instrument: InstrumentID, _ outcome: Outcome,
    remaining: Int64 = 0, into output: inout OutputBuffer
  ) {
    output.report(
      ExecutionReport(
        event: event, shard: shard, sequence: sequence, stamp: now, order: orderID(account, name),
        instrument: instrument, outcome: outcome, remaining: Lots(remaining)))
  }

  func orderID(_ account: Int, _ name: NaiveName) -> OrderID {
    OrderID(account: accounts[account].id, key: KeyID(name.key), nonce: name.nonce, index: name.index)
  }

  /// Tells what became of an order that is, or was, in a book: its level as it now is, and the lots it still shows.
  mutating func emitDelta(
    _ event: BookDelta.Event, _ order: NaiveOrder, shows: Int64, into output: inout OutputBuffer
  ) {
    books[order.book].deltas += 1
    var level: Int64 = 0
    var checksum: UInt64 = 0
    for other in orders where other.book == order.book {
      if other.side == order.side, other.price == order.price { level &+= other.shown }
      checksum &+= UInt64(bitPattern: other.shown) &* BookDelta.weight(of: other.side, Price(units: other.price))
    }
    output.book(
      BookDelta(
        instrument: books[order.book].instrument.id, event: event, side: order.side, price: Price(units: order.price),
        lots: Lots(level), order: order.number, orderLots: Lots(shows), sequence: books[order.book].deltas,
        checksum: checksum))
  }

  /// Numbers a fill, sends it to risk, keeps it for the epoch's root and reports it to its account.
  mutating func emitFill(_ fill: Fill, remaining: Int64, isMaker: Bool, into output: inout OutputBuffer) {
    fillNumber += 1
    var fill = fill
    fill.number = fillNumber
    output.send(fill, to: .risk, &streams)
    epochFills += fill.encoded
    output.report(
      ExecutionReport(
        event: .fill, shard: shard, sequence: sequence, stamp: now, order: fill.order, instrument: fill.instrument,
        outcome: remaining == 0 ? .filled : .resting, fillNumber: fillNumber, lots: fill.lots, price: fill.price,
        fee: fill.fee, remaining: Lots(remaining), isMaker: isMaker))
  }
}
