import Bytes
import Market

/// The accounts behind one root: every published leaf, the tree over them and their total. A value, so that a change
/// can be tried on a copy.
///
/// Accounts are dense: they come into being in order of id, as the vault numbers them.
public struct AccountBook: Sendable {
  /// By account id.
  public private(set) var accounts: [PublishedLeaf] = []
  public private(set) var tree = AccountTree()
  /// Σ max(0, equity) over users, USD.
  private var positiveEquity: Int128 = 0

  public init() {}

  public var root: Digest { tree.root }
  /// Σ max(0, equity) over users (the house is none), USD; `nil` when it does not fit.
  public var totalPositiveEquity: Money? { Int64(exactly: positiveEquity).map(Money.init) }
  public subscript(account: AccountID) -> PublishedLeaf? {
    Int(account.rawValue) < accounts.count ? accounts[Int(account.rawValue)] : nil
  }

  /// Whether these may replace or extend the accounts: strictly ascending, new ones following on the last.
  public func accepts(_ changed: [PublishedLeaf]) -> Bool {
    var next = accounts.count
    var previous = -1
    for published in changed {
      let account = Int(published.leaf.account.rawValue)
      guard account > previous, account <= next, account < Int(tree.capacity) else { return false }
      if account == next { next += 1 }
      previous = account
    }
    return true
  }

  /// Replaces and adds accounts; what `accepts` refuses changes nothing and returns false.
  public mutating func replace(_ changed: [PublishedLeaf]) -> Bool {
    guard accepts(changed), tree.update(changed.map { ($0.leaf.account, $0.leaf.hash) }) else { return false }
    for published in changed {
      let account = Int(published.leaf.account.rawValue)
      if account < accounts.count {
        positiveEquity -= Self.counted(accounts[account].leaf)
        accounts[account] = published
      } else {
        accounts.append(published)
      }
      positiveEquity += Self.counted(published.leaf)
    }
    return true
  }

  /// What `totalPositiveEquity` would be after `replace(changed)`; `nil` when it does not fit.
  public func totalPositiveEquity(after changed: [PublishedLeaf]) -> Money? {
    var total = positiveEquity
    for published in changed {
      if let old = self[published.leaf.account] { total -= Self.counted(old.leaf) }
      total += Self.counted(published.leaf)
    }
    return Int64(exactly: total).map(Money.init)
  }

  private static func counted(_ leaf: AccountLeaf) -> Int128 {
    leaf.account == .house ? 0 : Int128(max(0, leaf.equity.units))
  }

  /// Σ ledger and Σ withdrawn over all accounts, by currency: they must add up to the deposits consumed.
  public var ledgerTotals: [(ledger: Int128, withdrawn: Int128)] {
    var totals = Array(
      repeating: (ledger: Int128(0), withdrawn: Int128(0)), count: accounts.first?.leaf.ledger.count ?? 0)
    for account in accounts where account.leaf.ledger.count == totals.count {
      for currency in totals.indices {
        totals[currency].ledger += Int128(account.leaf.ledger[currency].units)
        totals[currency].withdrawn += Int128(account.leaf.withdrawn[currency].units)
      }
    }
    return totals
  }

  /// Instruments whose positions do not add up to zero over all accounts, in order.
  public var unbalancedInstruments: [InstrumentID] {
    PositionBalance.unbalanced(accounts.flatMap(\.positions).map { ($0.instrument, Int128($0.lots.count)) })
  }
}

/// Sums of signed lots per instrument.
enum PositionBalance {
  /// Instruments whose movements do not cancel, in order.
  static func unbalanced(_ movements: [(instrument: InstrumentID, lots: Int128)]) -> [InstrumentID] {
    let sorted = movements.sorted { $0.instrument < $1.instrument }
    var unbalanced: [InstrumentID] = []
    var index = 0
    while index < sorted.count {
      let instrument = sorted[index].instrument
      var sum: Int128 = 0
      while index < sorted.count, sorted[index].instrument == instrument {
        sum += sorted[index].lots
        index += 1
      }
      if sum != 0 { unbalanced.append(instrument) }
    }
    return unbalanced
  }
}

/// Layout: u32 count, the published leaves in order of account.
extension AccountBook: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    writer.u32(UInt32(accounts.count))
    for account in accounts { account.write(to: &writer) }
  }
  public init(from reader: inout ByteReader) {
    self.init()
    let leaves = (0..<reader.itemCount(minimumSize: 106)).map { _ in PublishedLeaf(from: &reader) }
    if reader.hasFailed || !replace(leaves) { reader.fail() }
  }
}
