import Bytes
import Machine
import Market

extension UnsafeMutableRawPointer {
  /// Stores one little-endian field of a layout.
  @inline(__always) func put<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }
  /// Copies 16 bytes.
  @inline(__always) func copyLane(from source: UnsafeMutableRawPointer, at offset: Int) {
    storeBytes(
      of: source.loadUnaligned(fromByteOffset: offset, as: SIMD2<UInt64>.self), toByteOffset: offset,
      as: SIMD2<UInt64>.self)
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

  /// Sends a fill to risk, keeps it for the epoch's root and reports it to its account.
  @inline(__always) mutating func emitFill(
    _ kind: Fill.Kind, _ trade: Trade, _ account: UnsafeMutablePointer<Account>, _ nonce: UInt64, _ key: UInt16,
    _ index: UInt16, lots: Int64, cash: Int64, fee: Int64, consumed: Int64, remaining: Int64,
    into output: inout OutputBuffer
  ) {
    let earlier: UInt64 = kind == .maker ? 1 : 0
    let number = trade.fills &- earlier
    let owner = UInt64(account.pointee.id.rawValue) | UInt64(key) << 32 | UInt64(index) << 48
    let message = output.extend(
      .stream, destination: MachineID.risk.rawValue, number: trade.messages &- earlier, by: 1 + Fill.byteCount)
    message.put(Fill.kind.rawValue, at: 0)
    let body = message + 1
    body.put(number, at: 0)
    body.put(kind.rawValue, at: 8)
    body.put(trade.instrument.rawValue, at: 9)
    body.put(nonce, at: 13)
    body.put(owner, at: 21)
    body.put(lots, at: 29)
    body.put(trade.price, at: 37)
    body.put(cash, at: 45)
    body.put(fee, at: 53)
    body.put(consumed, at: 61)
    let copy = epochFills.extend(by: Fill.byteCount)
    for place in stride(from: 0, to: Fill.byteCount - 16, by: 16) { copy.copyLane(from: body, at: place) }
    copy.copyLane(from: body, at: Fill.byteCount - 16)

    let report = output.extend(
      .report, destination: account.pointee.id.rawValue, number: trade.sequence.rawValue, by: Self.reportBytes)
    report.put(ExecutionReport.Event.fill.rawValue, at: 0)
    report.put(shard.rawValue, at: 1)
    report.put(trade.sequence.rawValue, at: 3)
    report.put(trade.stamp.nanoseconds, at: 11)
    report.put(nonce, at: 19)
    report.put(owner, at: 27)
    report.put(trade.instrument.rawValue, at: 35)
    report.put((remaining == 0 ? Outcome.filled : .resting).rawValue, at: 39)
    report.put(number, at: 41)
    report.put(lots, at: 49)
    report.put(trade.price, at: 57)
    report.put(fee, at: 65)
    report.put(remaining, at: 73)
    report.put(UInt8(truncatingIfNeeded: earlier), at: 81)
  }

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

  /// Tells what became of an order: its level as it now is, and the lots that the order still shows.
  @inline(__always) mutating func emitDelta(
    _ event: BookDelta.Event, _ book: UnsafeMutablePointer<Book>, _ ladder: UnsafeMutablePointer<BookSide>,
    _ side: Side,
    _ rank: UInt32, price: Int64, order: UInt64, shows lots: Int64, change: Int64, into output: inout OutputBuffer
  ) {
    let deltas = book.pointee.deltas &+ 1
    book.pointee.deltas = deltas
    let weight = BookDelta.weight(of: side, Price(units: price))
    let checksum = book.pointee.checksum &+ UInt64(bitPattern: change) &* weight
    book.pointee.checksum = checksum
    let levelLots = ladder.pointee.level(rank).pointee.lots
    let instrument = book.pointee.instrument.rawValue
    let delta = output.extend(.book, destination: instrument, number: deltas, by: BookDelta.byteCount)
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
    emitDelta(
      event, books.at(book), books.side(book, side), side, rank, price: price, order: order, shows: lots,
      change: change, into: &output)
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

  /// The answer to an action of one operation that has just been given: `beginReply` and its result in wider stores.
  @inline(__always) mutating func replyOnce(
    _ action: SignedActionView, _ answer: Answer, into output: inout OutputBuffer
  ) {
    let sequence = sequence.rawValue
    let head = output.extend(
      .reply, destination: 0, number: sequence, by: Self.replyBytes + ActionReply.Result.byteCount)
    head.put(UInt64(id.rawValue) | UInt64(action.account.rawValue) &<< 32, at: 0)
    head.put(Self.ownerKey, at: 8)
    head.put(action.nonce, at: 10)
    head.put(term.rawValue, at: 18)
    head.put(sequence, at: 22)
    head.put(now.nanoseconds, at: 30)
    // Not repeated, one result, its outcome; the filled lots end the record.
    head.put(UInt64(1) &<< 8 | UInt64(answer.outcome.rawValue) &<< 24, at: 38)
    head.put(answer.filled, at: 43)
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
