import Bytes
import Machine
import Market

/// One margin account as the aggregator keeps it.
struct Account: Sendable {
  let id: AccountID
  /// Fixed by the first deposit.
  let owner: Address
  /// The trading group: the first account of the owner that was opened. Vaults number accounts in order of opening, so
  /// it is the lowest one known at that time.
  let group: AccountID
  /// By currency, in 1e-8 of it.
  var ledger: [Int64]
  /// By underlying.
  var exposures: [Exposure]
  /// By shard; empty for the house.
  var lines: [CreditLine]
  var grant: OpenGrant?
  /// Held orders that wait for a recall, in order of arrival.
  var held: [HeldOrder] = []
  /// In order of arrival.
  var withdrawals: [PendingWithdrawal] = []
  var nonces = NonceBook()
  var liquidation: Liquidation?
  /// Mark versions that the present deficit has lasted.
  var deficitMarks: UInt32 = 0
  /// What each shard's line is meant to have outstanding, as of the last review.
  var target: Int64 = 0
  /// A top-up found nothing free; until marks or money move, none is tried again.
  var isExhausted = false

  /// An account without a `group` is its own.
  init(
    id: AccountID, owner: Address, group: AccountID? = nil, currencies: Int, underlyings: Int, shards: Int
  ) {
    self.id = id
    self.owner = owner
    self.group = group ?? id
    ledger = Array(repeating: 0, count: currencies)
    exposures = Array(repeating: Exposure(), count: underlyings)
    lines = Array(repeating: CreditLine(), count: shards)
  }

  var isFrozen: Bool { liquidation != nil }
  var hasPositions: Bool { exposures.contains { !$0.positions.isEmpty } }
  /// Σ over shards of what they may still charge, in USD units.
  var outstanding: Int128 { lines.reduce(0) { $0 + Int128($1.outstanding) } + Int128(grant?.charge ?? 0) }

  /// Marks every measurement stale: the ledger moved, and coin balances are part of the scenarios.
  mutating func invalidate() {
    for underlying in exposures.indices { exposures[underlying].isStale = true }
  }
}

extension Account {
  func write(to writer: inout ByteWriter) {
    id.write(to: &writer)
    owner.write(to: &writer)
    group.write(to: &writer)
    for amount in ledger { writer.i64(amount) }
    for exposure in exposures {
      writer.u32(UInt32(exposure.positions.count))
      for position in exposure.positions {
        position.instrument.write(to: &writer)
        writer.i64(position.lots)
      }
    }
    writer.bool(!lines.isEmpty)
    for line in lines { line.write(to: &writer) }
    writer.bool(grant != nil)
    grant?.write(to: &writer)
    writer.u32(UInt32(held.count))
    for order in held { order.write(to: &writer) }
    writer.u32(UInt32(withdrawals.count))
    for withdrawal in withdrawals { withdrawal.write(to: &writer) }
    nonces.write(to: &writer)
    writer.bool(liquidation != nil)
    liquidation?.write(to: &writer)
    writer.u32(deficitMarks)
    writer.i64(target)
    writer.bool(isExhausted)
  }

  /// Reads an account of a market with these sizes; out-of-range contents leave the reader failed.
  init(from reader: inout ByteReader, board: RiskBoard) {
    let shards = Int(board.definition.shardCount)
    self.init(
      id: AccountID(from: &reader), owner: Address(from: &reader), group: AccountID(from: &reader),
      currencies: board.definition.currencies.count, underlyings: board.quotations.count, shards: 0)
    for currency in ledger.indices {
      ledger[currency] = reader.i64()
      if ledger[currency].magnitude > UInt64(RiskLimits.amount) { reader.fail() }
    }
    for underlying in exposures.indices {
      for _ in 0..<reader.itemCount(minimumSize: 12) {
        let position = Position(instrument: InstrumentID(from: &reader), lots: reader.i64())
        guard let instrument = board.definition[position.instrument], position.lots != 0,
          Int(instrument.underlying.rawValue) == underlying,
          RiskMachine.isWithinLimits(position.lots, of: instrument),
          exposures[underlying].positions.last.map({ $0.instrument < position.instrument }) ?? true
        else {
          reader.fail()
          return
        }
        exposures[underlying].positions.append(position)
      }
    }
    if reader.bool() { lines = (0..<shards).map { _ in CreditLine(from: &reader) } }
    if reader.bool() { grant = OpenGrant(from: &reader) }
    held = (0..<reader.itemCount(minimumSize: HeldOrder.byteCount)).map { _ in HeldOrder(from: &reader) }
    withdrawals = (0..<reader.itemCount(minimumSize: PendingWithdrawal.byteCount)).map { _ in
      PendingWithdrawal(from: &reader)
    }
    nonces = NonceBook(from: &reader)
    if reader.bool() { liquidation = Liquidation(from: &reader, board: board) }
    deficitMarks = reader.u32()
    target = reader.i64()
    isExhausted = reader.bool()
    let known =
      lines.isEmpty == (id == .house) && held.allSatisfy { Int($0.shard.rawValue) < lines.count }
      && withdrawals.allSatisfy { Int($0.currency.rawValue) < ledger.count }
      && (grant.map { Int($0.shard.rawValue) < lines.count } ?? true)
      && target.magnitude <= UInt64(RiskLimits.amount)
    if !known { reader.fail() }
  }

  /// Canonical contents, one account's share of the state hash.
  func stateHash() -> UInt64 {
    var writer = ByteWriter(capacity: 1024)
    write(to: &writer)
    var hasher = StateHasher()
    hasher.combine(writer.bytes)
    return hasher.value
  }
}
