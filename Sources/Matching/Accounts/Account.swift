import Bytes
import Market

/// What the shard keeps of one account.
struct Account: BitwiseCopyable {
  var id: AccountID
  /// Newest open order; the rest follow by their `older` links.
  var newestOrder: Slot = 0
  var openOrders: UInt32 = 0
  /// Nonces of the owner's key that are still remembered.
  var liveNonces: UInt32 = 0
  /// Largest sum of consumed and reserved charges, USD.
  var ceiling: Int64 = 0
  /// U: charges consumed by fills so far, USD.
  var consumed: Int64 = 0
  /// Σ charges stored with open orders, USD.
  var reserved: Int64 = 0
  var owner = Address.zero
  /// Per million.
  var chargeMultiplier: UInt32 = 1_000_000
  /// A `Credit` has come: `owner` is known.
  var isOpen = false
  var isFrozen = false
  /// Whether its ledger moved in this epoch.
  var movedInEpoch = false
  var heldCount: UInt32 = 0
  /// Orders waiting for credit, oldest first.
  var firstHeld: Slot = 0
  var lastHeld: Slot = 0
  var creditVersion: UInt64 = 0
  var freezeID: UInt64 = 0
  /// The last `Liquidate` done, and its answer.
  var liquidationStep: UInt64 = 0
  var liquidationFilled: Int64 = 0
  var liquidationOutcome: Outcome = .filled

  init(id: AccountID) { self.id = id }

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
  /// Positive long, negative short.
  var lots: Int64 = 0
  var lotsAtEpochStart: Int64 = 0
  /// Σ open lots of reduce-only orders; all on the closing side.
  var reducingLots: Int64 = 0
}

/// An order that waits for credit: the operation as it was signed, and where its answer stands.
struct HeldOrder: BitwiseCopyable {
  /// Number of the `CreditRequest`.
  var request: UInt64
  var accountSlot: Slot
  /// Links among the account's held orders, oldest first.
  var previous: Slot = 0
  var next: Slot = 0
  /// The action and the place in it.
  var key: UInt16
  var index: UInt16
  var nonce: UInt64
  /// Where the action stands in the journal.
  var sequence: SequenceNumber
  var session: UInt64
  var generation: UInt64
  var isTrade: Bool
  var maximumFee: Int64
  /// Charge when it was held, as the request said.
  var charge: Int64
  var deadline: Timestamp
  var isLive = true
  var operation: Operation
}
