import Bytes
import Machine
import Market

/// What the aggregator itself writes into ledgers, and what of it belongs to the present epoch.
struct EpochLedger: Sendable {
  /// Deposits consumed in all epochs.
  var depositCursor: UInt64 = 0
  /// By currency: Σ deposits − Σ withdrawals granted.
  var vault: [Int64]
  /// Deposits and withdrawals of the epoch, in order of arrival.
  private(set) var entries: [Commitment.LedgerDelta] = []
  private(set) var withdrawals: [Commitment.GrantedWithdrawal] = []
  /// By instrument: the mark last committed; negative where none was.
  private(set) var committedMarks: [Int64]

  init(currencies: Int, instruments: Int) {
    vault = Array(repeating: 0, count: currencies)
    committedMarks = Array(repeating: -1, count: instruments)
  }

  /// An instrument more; no mark of it was committed yet.
  mutating func list() { committedMarks.append(-1) }

  mutating func record(_ account: AccountID, currency: Currency, amount: Money) {
    entries.append(.init(account: account, currency: currency, amount: amount))
  }

  mutating func record(_ account: AccountID, _ withdrawal: PendingWithdrawal) {
    record(account, currency: withdrawal.currency, amount: Money(units: -withdrawal.amount))
    withdrawals.append(
      .init(
        account: account, currency: withdrawal.currency, amount: Money(units: withdrawal.amount),
        recipient: withdrawal.recipient, nonce: withdrawal.nonce))
  }

  /// The epoch's entries summed, in order of (account, currency), no zero amounts.
  ///
  /// Each entry moved a ledger from one bounded value to another, so no sum overflows.
  private var deltas: [Commitment.LedgerDelta] {
    let sorted = entries.enumerated().sorted {
      ($0.element.account, $0.element.currency, $0.offset) < ($1.element.account, $1.element.currency, $1.offset)
    }
    var deltas: [Commitment.LedgerDelta] = []
    for (_, entry) in sorted {
      if let last = deltas.last, last.account == entry.account, last.currency == entry.currency {
        deltas[deltas.count - 1].amount = Money(units: last.amount.units &+ entry.amount.units)
      } else {
        deltas.append(entry)
      }
    }
    return deltas.filter { $0.amount != .zero }
  }

  /// Fills a commitment in and begins the next epoch.
  mutating func close(into commitment: inout Commitment, _ board: RiskBoard) {
    commitment.ledger = deltas
    commitment.depositCursor = depositCursor
    commitment.withdrawals = withdrawals
    for (id, mark) in board.marks.enumerated() where mark >= 0 && mark != committedMarks[id] {
      committedMarks[id] = mark
      commitment.marks.append(.init(instrument: InstrumentID(UInt32(id)), price: Price(units: mark)))
    }
    commitment.indices = board.quotations.map { Price(units: $0.index) }
    entries.removeAll(keepingCapacity: true)
    withdrawals.removeAll(keepingCapacity: true)
  }
}

extension EpochLedger {
  func write(to writer: inout ByteWriter) {
    writer.u64(depositCursor)
    for amount in vault { writer.i64(amount) }
    writer.u32(UInt32(entries.count))
    for entry in entries {
      entry.account.write(to: &writer)
      entry.currency.write(to: &writer)
      entry.amount.write(to: &writer)
    }
    writer.u32(UInt32(withdrawals.count))
    for withdrawal in withdrawals {
      withdrawal.account.write(to: &writer)
      withdrawal.currency.write(to: &writer)
      withdrawal.amount.write(to: &writer)
      withdrawal.recipient.write(to: &writer)
      writer.u64(withdrawal.nonce)
    }
    for mark in committedMarks { writer.i64(mark) }
  }

  init(from reader: inout ByteReader, currencies: Int, instruments: Int) {
    self.init(currencies: currencies, instruments: instruments)
    depositCursor = reader.u64()
    for currency in vault.indices {
      vault[currency] = reader.i64()
      if vault[currency] < 0 { reader.fail() }
    }
    entries = (0..<reader.itemCount(minimumSize: 13)).map { _ in
      .init(account: AccountID(from: &reader), currency: Currency(from: &reader), amount: Money(from: &reader))
    }
    withdrawals = (0..<reader.itemCount(minimumSize: 41)).map { _ in
      .init(
        account: AccountID(from: &reader), currency: Currency(from: &reader), amount: Money(from: &reader),
        recipient: Address(from: &reader), nonce: reader.u64())
    }
    for index in committedMarks.indices { committedMarks[index] = reader.i64() }
  }
}
