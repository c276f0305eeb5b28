import Bytes
import Machine
import Market

/// The whole state as bytes. The account book is written leaf by leaf; for the hash its root stands for it.
extension SettlementMachine {
  public borrowing func writeSnapshot(to writer: inout ByteWriter) {
    writer.bool(market != nil)
    guard let market else { return }
    market.write(to: &writer)
    writeScalars(to: &writer)
    book.write(to: &writer)
  }

  public borrowing func hash(into hasher: inout StateHasher) {
    var writer = ByteWriter()
    writer.bool(market != nil)
    market?.write(to: &writer)
    writeScalars(to: &writer)
    book.root.write(to: &writer)
    hasher.combine(writer.bytes)
  }

  /// All but the market and the accounts.
  private borrowing func writeScalars(to writer: inout ByteWriter) {
    epoch.write(to: &writer)
    streams.write(to: &writer)
    lastStamp.write(to: &writer)
    epochDeadline.write(to: &writer)
    writer.bool(isSealDue)
    heartbeatDeadline.write(to: &writer)
    writer.u64(heartbeatNumber)
    Self.write(owners, to: &writer)
    writer.u64(depositsForwarded)
    writer.u64(depositCursor)
    Self.write(pendingDeposits, to: &writer)
    writer.u32(UInt32(openEpochs.count))
    for open in openEpochs { open.write(to: &writer) }
    for machine in progress {
      writer.u64(machine.nextFirstSequence)
      writer.u64(machine.fillNumber)
    }
    for mark in marks {
      writer.bool(mark != nil)
      (mark ?? .zero).write(to: &writer)
    }
    for index in indices { index.write(to: &writer) }
    writer.bool(lastHeader != nil)
    lastHeader?.write(to: &writer)
    lastFinalEpoch.write(to: &writer)
    lastFinalRoot.write(to: &writer)
    writer.bool(stopReason != nil)
    stopReason?.write(to: &writer)
  }

  private static func write(_ values: [some ByteCodable], to writer: inout ByteWriter) {
    writer.u32(UInt32(values.count))
    for value in values { value.write(to: &writer) }
  }

  public init(id: MachineID, snapshot reader: inout ByteReader) {
    self.init(id: id)
    guard reader.bool() else { return }
    let market = MarketDefinition(from: &reader)
    guard !reader.hasFailed, market.currencies.count <= Int(UInt8.max) else {
      reader.fail()
      return
    }
    machines = market.committingMachines
    self.market = market
    epoch = Epoch(from: &reader)
    streams = StreamNumbers(from: &reader)
    lastStamp = Timestamp(from: &reader)
    epochDeadline = Timestamp(from: &reader)
    isSealDue = reader.bool()
    heartbeatDeadline = Timestamp(from: &reader)
    heartbeatNumber = reader.u64()
    owners = (0..<reader.itemCount(minimumSize: 20)).map { _ in Address(from: &reader) }
    depositsForwarded = reader.u64()
    depositCursor = reader.u64()
    pendingDeposits = (0..<reader.itemCount(minimumSize: 41)).map { _ in Deposit(from: &reader) }
    openEpochs = (0..<reader.itemCount(minimumSize: 13)).map { _ in OpenEpoch(from: &reader) }
    progress = machines.map { _ in Progress(nextFirstSequence: reader.u64(), fillNumber: reader.u64()) }
    marks = market.instruments.map { _ in
      let isThere = reader.bool()
      let price = Price(from: &reader)
      return isThere ? price : nil
    }
    indices = market.underlyings.map { _ in Price(from: &reader) }
    lastHeader = reader.bool() ? EpochHeader(from: &reader) : nil
    lastFinalEpoch = Epoch(from: &reader)
    lastFinalRoot = Digest(from: &reader)
    stopReason = reader.bool() ? StopReason(from: &reader) : nil
    book = AccountBook(from: &reader)
    if !isCoherent(market) { reader.fail() }
  }

  /// Whether the parts of a snapshot fit each other as far as later steps rely upon it.
  private borrowing func isCoherent(_ market: MarketDefinition) -> Bool {
    let currencies = market.currencies.count
    let epochsFit = openEpochs.allSatisfy { open in
      open.commitments.count == (open.computed == nil ? machines.count : 0)
        && open.commitments.enumerated().allSatisfy { place, commitment in
          commitment.map { isAllowed($0, from: machines[place]) } ?? true
        }
    }
    let leavesFit = book.accounts.allSatisfy { account in
      account.leaf.ledger.count == currencies
        && account.positions.allSatisfy { market[$0.instrument] != nil }
    }
    return epochsFit && leavesFit && book.accounts.count <= owners.count
      && depositCursor &+ UInt64(pendingDeposits.count) == depositsForwarded
      && pendingDeposits.allSatisfy {
        Int($0.account.rawValue) < owners.count && Int($0.currency.rawValue) < currencies
      }
  }
}
