import Bytes
import Machine
import Market

/// An account's market-maker protection: its shares of the limits, and what its quotes have traded in the window.
struct Protection: BitwiseCopyable {
  /// Of the whole underlying; 0 for no limit.
  var quantityLimit: Int64
  var deltaLimit: Int64
  var vegaLimit: Int64
  /// Milliseconds: the window in the low half, the freeze in the high one.
  var times: UInt64
  var quantity: Int64 = 0
  var delta: Int64 = 0
  var vega: Int64 = 0
  /// Fills in the window, oldest first.
  var first: Slot = 0
  var last: Slot = 0

  var window: Interval { Interval(milliseconds: times & 0xFFFF_FFFF) }
  /// Zero: until reset.
  var freeze: Interval { Interval(milliseconds: times >> 32) }

  /// Whether what was counted exceeds the share of one of `shards`.
  func isBeyond(_ shards: Int64) -> Bool {
    func exceeds(_ counted: Int64, _ limit: Int64) -> Bool {
      limit != 0 && counted.magnitude > (limit / shards + (limit % shards == 0 ? 0 : 1)).magnitude
    }
    return exceeds(quantity, quantityLimit) || exceeds(delta, deltaLimit) || exceeds(vega, vegaLimit)
  }

  /// Counts a fill; true if that is beyond the share of one of `shards`, or beyond all range.
  mutating func count(_ fill: ProtectionFill, _ shards: Int64) -> Bool {
    let sums = (
      quantity.addingReportingOverflow(fill.quantity), delta.addingReportingOverflow(fill.delta),
      vega.addingReportingOverflow(fill.vega)
    )
    if sums.0.overflow || sums.1.overflow || sums.2.overflow { return true }
    (quantity, delta, vega) = (sums.0.partialValue, sums.1.partialValue, sums.2.partialValue)
    return isBeyond(shards)
  }
}

/// What one fill of a quote added.
struct ProtectionFill: BitwiseCopyable {
  var next: Slot = 0
  var stamp: Timestamp
  var quantity: Int64
  var delta: Int64
  var vega: Int64
}

/// An account's market-maker protection in one shard: the limits of the whole underlying, zero for none, and what its
/// quotes have traded there in the window that ends with the shard's last input. Quantity and delta are in 1e-8 coins,
/// vega in 1e-8 USD a volatility point; delta and vega are net.
public struct ProtectionStanding: Sendable, Hashable {
  public var quantityLimit: Int64
  public var deltaLimit: Int64
  public var vegaLimit: Int64
  public var window: Interval
  /// Zero: until reset.
  public var freeze: Interval
  /// Shards that the limits are shared among.
  public var shards: Int64
  public var quantity: Int64
  public var delta: Int64
  public var vega: Int64
}

extension ShardMachine {
  /// Changes nothing: fills that are too old still stand in the list.
  borrowing func protectionStanding(_ slot: Slot) -> ProtectionStanding {
    let own = protections[slot]
    var standing = ProtectionStanding(
      quantityLimit: own.quantityLimit, deltaLimit: own.deltaLimit, vegaLimit: own.vegaLimit, window: own.window,
      freeze: own.freeze, shards: shardsOfUnderlying, quantity: 0, delta: 0, vega: 0)
    var entry = own.first
    while entry != 0 {
      let fill = protectionFills[entry]
      if fill.stamp + own.window > now {
        standing.quantity += fill.quantity
        standing.delta += fill.delta
        standing.vega += fill.vega
      }
      entry = fill.next
    }
    return standing
  }

  mutating func setProtection(_ operation: OperationView, _ origin: Origin) -> Answer {
    let limits = [operation.quantity, operation.price, operation.triggerPrice]
    let window = operation.targetNonce & 0xFFFF_FFFF
    let isOff = limits.allSatisfy { $0 == 0 }
    if limits.contains(where: { $0 < 0 }) || !isOff && window == 0 || operation.manner & ~0xFF != 0
      || operation.instrument.rawValue != 0 || operation.targetAndReserved != 0
      || UInt64(bitPattern: operation.display) | operation.tail != 0
    {
      return Answer(outcome: .unsupportedCombination)
    }
    let account = origin.accountSlot
    if accounts[account].protection != 0 {
      forgetFills(accounts[account].protection)
      protections.remove(accounts[account].protection)
      accounts[account].protection = 0
    }
    if isOff { return Answer(outcome: .applied) }
    accounts[account].protection = protections.insert(
      Protection(
        quantityLimit: limits[0], deltaLimit: limits[1], vegaLimit: limits[2], times: operation.targetNonce))
    return Answer(outcome: .applied)
  }

  mutating func resetProtection(_ operation: OperationView, _ origin: Origin) -> Answer {
    guard operation.hasOnlyTarget, operation.rawType == 0, operation.targetNonce == 0,
      operation.instrument.rawValue == 0
    else { return Answer(outcome: .unsupportedCombination) }
    accounts[origin.accountSlot].quotesFrozenUntil = .zero
    if accounts[origin.accountSlot].protection != 0 { forgetFills(accounts[origin.accountSlot].protection) }
    return Answer(outcome: .applied)
  }

  private mutating func forgetFills(_ slot: Slot) {
    var fill = protections[slot].first
    while fill != 0 {
      let next = protectionFills[fill].next
      protectionFills.remove(fill)
      fill = next
    }
    protections[slot].first = 0
    protections[slot].last = 0
    protections[slot].quantity = 0
    protections[slot].delta = 0
    protections[slot].vega = 0
  }

  /// Counts a fill of the account's quote, `lots` signed, and trips when a limit is exceeded.
  @inline(never) mutating func protect(
    _ account: Slot, _ book: Int, _ lots: Int64, _ notional: Int64, into output: inout OutputBuffer
  ) {
    let slot = accounts[account].protection
    dropOldFills(slot)
    var after = protections[slot]
    if let fill = protectionFill(book, lots, notional), !after.count(fill, shardsOfUnderlying) {
      return enter(fill, slot)
    }
    let freeze = protections[slot].freeze
    let until = freeze == .milliseconds(0) ? .never : now + freeze
    takeQuotesOut(account, until: until)
    if let underlying {
      output.send(
        ProtectionTripped(account: accounts[account].id, underlying: underlying, until: until), to: .risk, &streams)
    }
  }

  /// What a fill of a quote, `lots` signed, adds; `nil` beyond all range.
  mutating func protectionFill(_ book: Int, _ lots: Int64, _ notional: Int64) -> ProtectionFill? {
    let contract = books[book].contract
    let coins =
      contract.settlement == .inverse
      ? (notional, false) : Int64(lots.magnitude).multipliedReportingOverflow(by: contract.lotSize)
    let delta = lots.multipliedReportingOverflow(by: books[book].delta)
    let vega = lots.multipliedReportingOverflow(by: books[book].vega)
    if coins.1 || delta.overflow || vega.overflow { return nil }
    return ProtectionFill(stamp: now, quantity: coins.0, delta: delta.partialValue, vega: vega.partialValue)
  }

  mutating func enter(_ fill: ProtectionFill, _ slot: Slot) {
    let entry = protectionFills.insert(fill)
    if protections[slot].last == 0 {
      protections[slot].first = entry
    } else {
      protectionFills[protections[slot].last].next = entry
    }
    protections[slot].last = entry
    protections[slot].quantity += fill.quantity
    protections[slot].delta += fill.delta
    protections[slot].vega += fill.vega
  }

  /// Forgets what lies before the window, which is no part of the state any more.
  mutating func dropOldFills(_ slot: Slot) {
    while protections[slot].first != 0 {
      let entry = protections[slot].first
      let fill = protectionFills[entry]
      if fill.stamp + protections[slot].window > now { return }
      protections[slot].first = fill.next
      if fill.next == 0 { protections[slot].last = 0 }
      protections[slot].quantity -= fill.quantity
      protections[slot].delta -= fill.delta
      protections[slot].vega -= fill.vega
      protectionFills.remove(entry)
    }
  }

  /// From this moment none of the account's quotes trades; a job takes them off the books.
  private mutating func takeQuotesOut(_ account: Slot, until: Timestamp) {
    accounts[account].quotesFrozenUntil = until
    accounts[account].quotesOut = arrivals
    if accounts[account].protection != 0 { forgetFills(accounts[account].protection) }
    start(
      Job(
        kind: .cancel, accountSlot: account, arrival: arrivals, outcome: .cancelledByProtection,
        flags: OperationCode.quotesOnly))
  }

  /// Another shard has tripped the account's protection.
  mutating func take(_ freeze: ProtectionFreeze) {
    if freeze.account == .house { return }
    var account = accountSlot(freeze.account)
    if account == 0 { account = addAccount(freeze.account) }
    takeQuotesOut(account, until: max(freeze.until, accounts[account].quotesFrozenUntil))
  }
}
