import Bytes
import Machine
import Market

// The whole state as bytes and as a hash. Measurements are left out: they follow from what is there.
extension RiskMachine {
  public borrowing func writeSnapshot(to writer: inout ByteWriter) {
    writer.bool(isOpen)
    guard isOpen else {
      writer.u64(refusals)
      return
    }
    board.write(to: &writer)
    writeCounters(to: &writer)
    timers.write(to: &writer)
    streams.write(to: &writer)
    finality.write(to: &writer)
    ledgers.write(to: &writer)
    writer.u32(UInt32(book.count))
    for account in book.accounts { account.write(to: &writer) }
  }

  private borrowing func writeCounters(to writer: inout ByteWriter) {
    epoch.write(to: &writer)
    now.write(to: &writer)
    for stamp in heard { stamp.write(to: &writer) }
    for number in fillNumbers { writer.u64(number) }
    writer.u64(heartbeatNumber)
    nextHeartbeat.write(to: &writer)
    writer.u64(lastFreeze)
    writer.u64(lastStep)
    writer.u64(refusals)
    lastListing.write(to: &writer)
  }

  public init(id: MachineID, snapshot reader: inout ByteReader) {
    self.init(id: id)
    guard reader.bool(), !reader.hasFailed else {
      refusals = reader.u64()
      return
    }
    guard let board = RiskBoard(from: &reader) else { return }
    prepare(board)
    readCounters(from: &reader)
    timers = TimerQueue(from: &reader)
    streams = StreamNumbers(from: &reader)
    finality = FinalityWatch(from: &reader)
    ledgers = EpochLedger(
      from: &reader, currencies: board.definition.currencies.count, instruments: board.definition.instruments.count)
    for _ in 0..<reader.itemCount(minimumSize: 24) {
      let account = Account(from: &reader, board: board)
      guard !reader.hasFailed, book.slot(of: account.id) == nil,
        account.group == book.group(of: account.id, owner: account.owner)
      else {
        reader.fail()
        break
      }
      let slot = book.open(account)
      for underlying in board.quotations.indices { refreshHolder(slot, underlying) }
    }
    let numbers =
      (streams.sent + streams.received).map(\.number) + fillNumbers
      + [heartbeatNumber, lastFreeze, lastStep, ledgers.depositCursor]
    if book.slot(of: .house) != Self.houseSlot || numbers.contains(where: { $0 > RiskLimits.streamNumber }) {
      reader.fail()
    }
    if reader.hasFailed { self = RiskMachine(id: id) }
    book.settleHashes()
  }

  private mutating func readCounters(from reader: inout ByteReader) {
    epoch = Epoch(from: &reader)
    now = Timestamp(from: &reader)
    for shard in heard.indices { heard[shard] = Timestamp(from: &reader) }
    for shard in fillNumbers.indices { fillNumbers[shard] = reader.u64() }
    heartbeatNumber = reader.u64()
    nextHeartbeat = Timestamp(from: &reader)
    lastFreeze = reader.u64()
    lastStep = reader.u64()
    refusals = reader.u64()
    lastListing = LastListing(from: &reader)
    if now < .zero || heard.contains(where: { $0 < .zero }) { reader.fail() }
  }

  public borrowing func hash(into hasher: inout StateHasher) {
    hasher.combine(UInt64(isOpen ? 1 : 0))
    guard isOpen else {
      hasher.combine(refusals)
      return
    }
    var writer = ByteWriter(capacity: 4096)
    board.definition.write(to: &writer)
    writeCounters(to: &writer)
    timers.write(to: &writer)
    finality.write(to: &writer)
    ledgers.write(to: &writer)
    hasher.combine(writer.bytes)
    streams.hash(into: &hasher)
    board.hash(into: &hasher)
    hasher.combine(UInt64(book.count))
    hasher.combine(book.stateHash)
  }
}
