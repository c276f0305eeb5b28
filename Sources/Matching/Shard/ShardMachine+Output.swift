import Bytes
import Machine
import Market

extension UnsafeMutableRawPointer {
  /// Stores one little-endian field of a layout.
  @inline(__always) func put<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }
}

/// What both fills of a trade have in common.
struct Trade: BitwiseCopyable {
  var instrument: InstrumentID
  var price: Int64
  /// Numbers of the taker's fill and of its message to risk; the maker's are one less.
  var fills: UInt64
  var messages: UInt64
  var sequence: SequenceNumber
  var stamp: Timestamp
}

// What an order makes the shard say, written field by field into the output: the layouts are those of `Fill`,
// `ExecutionReport`, `BookDelta` and `ActionReply`, by which every test reads them back.
extension ShardMachine {
  private static var reportBytes: Int { 82 }
  private static var replyBytes: Int { 41 }
  /// Of whole records.
  static var deltaRecordBytes: Int { OutputBuffer.headBytes + BookDelta.byteCount }
  static var loneReplyRecordBytes: Int { OutputBuffer.headBytes + replyBytes + ActionReply.Result.byteCount }
  private static var fillRecordsBytes: Int { 2 * OutputBuffer.headBytes + 1 + Fill.byteCount + reportBytes }

  /// Sends a fill to risk, keeps it for the epoch's root and reports it to its account.
  mutating func emitFill(
    _ kind: Fill.Kind, _ trade: Trade, _ account: UnsafeMutablePointer<Account>, _ nonce: UInt64, _ key: UInt16,
    _ index: UInt16, lots: Int64, cash: Int64, fee: Int64, consumed: Int64, remaining: Int64,
    into output: inout OutputBuffer
  ) {
    let copy = epochFills.extend(by: Fill.byteCount)
    writeFill(
      kind, trade, account, nonce, key, index, lots: lots, cash: cash, fee: fee, consumed: consumed,
      remaining: remaining, at: output.extend(by: Self.fillRecordsBytes, records: 2), copy: copy)
  }

  /// Where the records of a trade go: the maker's fill and report, the taker's, and the maker's delta; and the copies
  /// of both fills that the epoch's root is made of.
  @inline(__always) mutating func beginTrade(
    _ output: inout OutputBuffer
  ) -> (
    maker: UnsafeMutableRawPointer, taker: UnsafeMutableRawPointer, delta: UnsafeMutableRawPointer,
    copies: UnsafeMutableRawPointer
  ) {
    let maker = output.extend(by: 2 * Self.fillRecordsBytes + Self.deltaRecordBytes, records: 5)
    let taker = maker + Self.fillRecordsBytes
    return (maker, taker, taker + Self.fillRecordsBytes, epochFills.extend(by: 2 * Fill.byteCount))
  }

  /// Writes the two records of a fill, and its copy. Some stores reach into the field behind their own, which is
  /// written next.
  @inline(__always) func writeFill(
    _ kind: Fill.Kind, _ trade: Trade, _ account: UnsafeMutablePointer<Account>, _ nonce: UInt64, _ key: UInt16,
    _ index: UInt16, lots: Int64, cash: Int64, fee: Int64, consumed: Int64, remaining: Int64,
    at head: UnsafeMutableRawPointer, copy: UnsafeMutableRawPointer
  ) {
    let earlier: UInt64 = kind == .maker ? 1 : 0
    let number = trade.fills &- earlier
    let id = account.pointee.id.rawValue
    let instrument = UInt64(trade.instrument.rawValue)
    let owner = UInt64(id) | UInt64(key) &<< 32 | UInt64(index) &<< 48
    OutputBuffer.begin(
      .stream, destination: Self.riskPeer, number: trade.messages &- earlier, by: 1 + Fill.byteCount, at: head)
    let message = head + OutputBuffer.headBytes
    message.put(Fill.kind.rawValue, at: 0)
    func write(_ body: UnsafeMutableRawPointer) {
      body.put(number, at: 0)
      body.put(UInt64(kind.rawValue) | instrument &<< 8, at: 8)
      body.put(nonce, at: 13)
      body.put(owner, at: 21)
      body.put(lots, at: 29)
      body.put(trade.price, at: 37)
      body.put(cash, at: 45)
      body.put(fee, at: 53)
      body.put(consumed, at: 61)
    }
    write(message + 1)
    write(copy)

    let reportHead = message + (1 + Fill.byteCount)
    OutputBuffer.begin(
      .report, destination: id, number: trade.sequence.rawValue, by: Self.reportBytes, at: reportHead)
    let report = reportHead + OutputBuffer.headBytes
    let outcome = remaining == 0 ? Outcome.filled.rawValue : Outcome.resting.rawValue
    report.put(UInt32(ExecutionReport.Event.fill.rawValue) | UInt32(shard.rawValue) &<< 8, at: 0)
    report.put(trade.sequence.rawValue, at: 3)
    report.put(trade.stamp.nanoseconds, at: 11)
    report.put(nonce, at: 19)
    report.put(owner, at: 27)
    report.put(instrument | UInt64(outcome) &<< 32, at: 35)
    report.put(number, at: 41)
    report.put(lots, at: 49)
    report.put(trade.price, at: 57)
    report.put(fee, at: 65)
    report.put(remaining, at: 73)
    report.put(UInt8(truncatingIfNeeded: earlier), at: 81)
  }
  /// `MachineID.risk`, without a call.
  private static var riskPeer: UInt32 { 2 << 16 }

  /// Tells an account what has become of one of its orders.
  mutating func report(
    _ event: ExecutionReport.Event, _ outcome: Outcome, _ order: OrderID, _ instrument: InstrumentID,
    remaining: Int64 = 0, into output: inout OutputBuffer
  ) {
    output.report(
      ExecutionReport(
        event: event, shard: shard, sequence: sequence, stamp: now, order: order, instrument: instrument,
        outcome: outcome, remaining: Lots(remaining)))
  }
  mutating func report(
    _ event: ExecutionReport.Event, _ outcome: Outcome, _ order: OrderID, _ book: Int, remaining: Int64 = 0,
    into output: inout OutputBuffer
  ) { report(event, outcome, order, books[book].instrument, remaining: remaining, into: &output) }

  /// Tells an account that an open order of its has shrunk.
  mutating func reportAmended(_ slot: Slot, into output: inout OutputBuffer) {
    let order = orders[slot]
    report(.accepted, .amended, name(of: order), Int(order.book), remaining: openLots(order), into: &output)
  }

  /// Writes the record that tells what became of an order: its level as it now is, and the lots that the order still
  /// shows.
  @inline(__always) func writeDelta(
    _ event: BookDelta.Event, _ book: UnsafeMutablePointer<Book>, _ side: Side, price: Int64, levelLots: Int64,
    order: UInt64, shows lots: Int64, change: Int64, at head: UnsafeMutableRawPointer
  ) {
    let deltas = book.pointee.deltas &+ 1
    book.pointee.deltas = deltas
    let weight = BookDelta.weight(of: side, Price(units: price))
    let checksum = book.pointee.checksum &+ UInt64(bitPattern: change) &* weight
    book.pointee.checksum = checksum
    let instrument = book.pointee.instrument.rawValue
    OutputBuffer.begin(.book, destination: instrument, number: deltas, by: BookDelta.byteCount, at: head)
    let delta = head + OutputBuffer.headBytes
    delta.put(UInt64(instrument) | UInt64(event.rawValue) << 32 | UInt64(side.rawValue) << 40, at: 0)
    delta.put(price, at: 8)
    delta.put(levelLots, at: 16)
    delta.put(order, at: 24)
    delta.put(lots, at: 32)
    delta.put(deltas, at: 40)
    delta.put(checksum, at: 48)
  }
  mutating func emitDelta(
    _ event: BookDelta.Event, _ book: Int, _ side: Side, _ rank: UInt32, order: UInt64, shows lots: Int64,
    change: Int64, into output: inout OutputBuffer
  ) {
    let price = BookSide.tick(side, rank) &* books[book].contract.tickSize
    writeDelta(
      event, books.at(book), side, price: price, levelLots: books.side(book, side).pointee.lots(rank), order: order,
      shows: lots, change: change, at: output.extend(by: Self.deltaRecordBytes, records: 1))
  }

  /// Everything of a reply but its results, for which it returns the place.
  @inline(__always) private mutating func beginReply(
    _ output: inout OutputBuffer, account: AccountID, key: UInt16, nonce: UInt64, _ term: Term,
    _ first: SequenceNumber, _ stamp: Timestamp, isRepeated: Bool, count: Int
  ) -> UnsafeMutableRawPointer {
    let head = output.extend(
      .reply, destination: 0, number: sequence.rawValue, by: Self.replyBytes + count &* ActionReply.Result.byteCount)
    head.put(UInt64(id.rawValue) | UInt64(account.rawValue) << 32, at: 0)
    head.put(key, at: 8)
    head.put(nonce, at: 10)
    head.put(term.rawValue, at: 18)
    head.put(first.rawValue, at: 22)
    head.put(stamp.nanoseconds, at: 30)
    head.put(isRepeated ? 1 as UInt8 : 0, at: 38)
    head.put(UInt16(truncatingIfNeeded: count), at: 39)
    return head + Self.replyBytes
  }

  /// Writes the answer to an action of one operation that has just been given: `beginReply` and its result in wider
  /// stores.
  @inline(__always) func writeReply(
    _ action: SignedActionView, _ outcome: Outcome, filled: Int64, at head: UnsafeMutableRawPointer
  ) {
    let sequence = sequence.rawValue
    OutputBuffer.begin(
      .reply, destination: 0, number: sequence, by: Self.loneReplyRecordBytes - OutputBuffer.headBytes, at: head)
    let reply = head + OutputBuffer.headBytes
    reply.put(UInt64(id.rawValue) | UInt64(action.account.rawValue) &<< 32, at: 0)
    reply.put(Self.ownerKey, at: 8)
    reply.put(action.nonce, at: 10)
    reply.put(term.rawValue, at: 18)
    reply.put(sequence, at: 22)
    reply.put(now.nanoseconds, at: 30)
    // Not repeated, one result, its outcome; the filled lots end the record.
    reply.put(UInt64(1) &<< 8 | UInt64(outcome.rawValue) &<< 24, at: 38)
    reply.put(filled, at: 43)
  }

  /// The answer as remembered, with the place that it first had in the journal.
  @inline(__always) mutating func reply(
    _ action: SignedActionView, _ record: Slot, isRepeated: Bool, into output: inout OutputBuffer
  ) {
    let first = nonces.records + Int(record)
    var place = beginReply(
      &output, account: action.account, key: action.key, nonce: action.nonce, first.pointee.term,
      first.pointee.sequence, first.pointee.stamp, isRepeated: isRepeated, count: Int(first.pointee.count))
    nonces.forEachResult(record) { outcome, filled in
      place.put(outcome.rawValue, at: 0)
      place.put(filled, at: 2)
      place += ActionReply.Result.byteCount
    }
  }

  /// Refuses the whole action for one reason, without a trace in the nonces.
  mutating func refuse(_ action: SignedActionView, _ outcome: Outcome, into output: inout OutputBuffer) {
    refuse(
      account: action.account, key: action.key, nonce: action.nonce, count: action.count, outcome, into: &output)
  }

  mutating func refuse(
    account: AccountID, key: UInt16, nonce: UInt64, count: Int, _ outcome: Outcome, into output: inout OutputBuffer
  ) {
    var place = beginReply(
      &output, account: account, key: key, nonce: nonce, term, sequence, now, isRepeated: false, count: count)
    for _ in 0..<count {
      place.put(outcome.rawValue, at: 0)
      place.put(0 as Int64, at: 2)
      place += ActionReply.Result.byteCount
    }
  }

  /// Answers bytes that are no action of this shard's, as far as they name a nonce.
  mutating func refuseMalformed(_ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    var reader = ByteReader(payload)
    _ = reader.u16()
    let count = Int(reader.u16())
    let account = AccountID(from: &reader)
    let nonce = reader.u64()
    _ = reader.u64()
    let key = reader.u16()
    let isPlausible = count >= 1 && count <= SignedActionHeader.maximumOperations
    refuse(account: account, key: key, nonce: nonce, count: isPlausible ? count : 1, .malformed, into: &output)
  }
}
