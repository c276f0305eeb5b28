import Bytes
import Market

/// What the shard keeps of one account; what the path of an order needs comes first, in two cache
/// lines.
struct Account: BitwiseCopyable {
  /// Largest sum of consumed and reserved charges, USD.
  var ceiling: Int64 = 0
  /// U: charges consumed by fills so far, USD.
  var consumed: Int64 = 0
  /// Σ charges stored with open orders, USD.
  var reserved: Int64 = 0
  /// Newest open order; the rest follow by their `older` links.
  var newestOrder: Slot = 0
  var openOrders: UInt32 = 0
  /// Nonces of the owner's key that are still remembered.
  var liveNonces: UInt32 = 0
  /// Per million.
  var chargeMultiplier: UInt32 = 1_000_000
  var id: AccountID
  /// Orders of one group never trade with each other.
  var group: AccountID
  var restrictions: Restrictions = .unopened
  /// Orders that wait: held, armed, queued or sweeping.
  var deferred: UInt32 = 0
  var creditVersion: UInt64 = 0
  var owner = Address.zero
  /// Whether its ledger moved in this epoch.
  var movedInEpoch = false
  /// Only the operator can lift the kill switch.
  var isKilledByOperator = false
  var heldCount: UInt32 = 0
  /// Orders waiting for credit, oldest first.
  var firstHeld: Slot = 0
  var lastHeld: Slot = 0
  var armedStops: UInt32 = 0
  /// Newest armed or fired stop.
  var newestStop: Slot = 0
  /// Market-maker protection, or 0.
  var protection: Slot = 0
  var freezeID: UInt64 = 0
  /// The last `Liquidate` done, and its answer.
  var liquidationStep: UInt64 = 0
  var liquidationFilled: Int64 = 0
  var liquidationOutcome: Outcome = .filled
  var deadMan = Timestamp.never
  /// Quotes are refused until then; those that had arrived by `quotesOut` never trade again.
  var quotesFrozenUntil = Timestamp.zero
  var quotesOut: UInt64 = 0
  /// Queued operations, oldest first.
  var firstQueued: Slot = 0
  var lastQueued: Slot = 0
  /// Fills the third cache line.
  private let padding: (UInt64, UInt64) = (0, 0)

  struct Restrictions: OptionSet, BitwiseCopyable {
    let rawValue: UInt32
    /// No `Credit` has come: the owner is not known.
    static let unopened = Restrictions(rawValue: 1 << 0)
    static let frozen = Restrictions(rawValue: 1 << 1)
    static let killed = Restrictions(rawValue: 1 << 2)
  }

  init(id: AccountID) {
    self.id = id
    group = id
  }

  var isOpen: Bool { !restrictions.contains(.unopened) }
  var isFrozen: Bool { restrictions.contains(.frozen) }
  var isKilled: Bool { restrictions.contains(.killed) }
  /// Its plain orders need no further look at the account.
  @inline(__always) var isPlain: Bool { restrictions.rawValue | deferred == 0 }

  /// U + reserved: never overflows, because nothing is accepted beyond a ceiling that fits.
  @inline(__always) var used: Int64 { consumed &+ reserved }
}

/// What the shard keeps of one account in one instrument.
struct Position: BitwiseCopyable {
  var accountSlot: Slot
  var book: UInt16
  var isLive = true
  /// Whether it moved in this epoch.
  var movedInEpoch = false
  /// Newest reduce-only order (an `OrderExtra`).
  var newestReducing: Slot = 0
  /// Newest side of a quote (an `OrderExtra`).
  var newestQuote: Slot = 0
  /// Positive long, negative short.
  var lots: Int64 = 0
  var lotsAtEpochStart: Int64 = 0
  /// Neighbours in its `PositionList`.
  var openedBefore: Slot = 0
  var openedAfter: Slot = 0
  /// Σ open lots of reduce-only orders; all on the closing side.
  var reducingLots: Int64 = 0
}
