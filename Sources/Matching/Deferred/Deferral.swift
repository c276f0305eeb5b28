import Market

/// Whose operation it is, and under which action it stands.
struct Origin: BitwiseCopyable {
  var accountSlot: Slot
  var key: UInt16
  /// A single trade in Derive's form, whose signer bounds the fee.
  var isTrade: Bool
  var nonce: UInt64
  var session: UInt64
  var generation: UInt64
  /// Per unit of quantity, USD.
  var maximumFee: Int64
  /// Where the action stands in the journal.
  var sequence: SequenceNumber
}

extension Deferral {
  /// Under which it was signed, as the two words of a table's key.
  var signedName: (nonce: UInt64, owner: UInt64) {
    (origin.nonce, RestingOrder.owner(origin.accountSlot, origin.key, index))
  }
}

extension Origin {
  init(_ action: SignedActionView, _ accountSlot: Slot, _ sequence: SequenceNumber) {
    self.init(
      accountSlot: accountSlot, key: action.key, isTrade: action.isTrade, nonce: action.nonce, session: action.session,
      generation: action.generation, maximumFee: action.maximumFee, sequence: sequence)
  }
}

/// How an operation ended.
struct Answer: BitwiseCopyable {
  var outcome: Outcome
  var filled: Int64 = 0
}

/// An operation whose end comes later: as it was signed, and where its answer stands.
struct Deferral: BitwiseCopyable {
  var origin: Origin
  /// Its place in the action.
  var index: UInt16
  /// The operation is a stop whose trigger has been met: it counts as its plain order.
  var isTriggered = false
  /// Nonce and index by which its order is known: its own, or those of what it replaces.
  var nameNonce: UInt64
  var nameIndex: UInt16
  var operation: Operation

  /// An operation under its own name.
  init(origin: Origin, index: UInt16, operation: Operation) {
    self.origin = origin
    self.index = index
    self.operation = operation
    nameNonce = origin.nonce
    nameIndex = index
  }
  /// The operation of an order that passed its checks.
  init(origin: Origin, index: UInt16, operation: Operation, isTriggered: Bool, naming candidate: Candidate) {
    self.init(origin: origin, index: index, operation: operation)
    self.isTriggered = isTriggered
    nameNonce = candidate.nonce
    nameIndex = candidate.index
  }
}

/// An order that waits for credit.
struct HeldOrder: BitwiseCopyable {
  /// Number of the `CreditRequest`.
  var request: UInt64
  var deferral: Deferral
  /// Charge when it was held, as the request said.
  var charge: Int64
  var deadline: Timestamp
  /// Links among the account's held orders, oldest first.
  var previous: Slot = 0
  var next: Slot = 0
  var isLive = true
}

/// An operation that waits for an unfinished order of its book, or for one of its own action.
struct QueuedOperation: BitwiseCopyable {
  var deferral: Deferral
  /// The book that it waits for, or `Job.everyBook`.
  var book: UInt32
  /// Links in order of arrival, and among the account's own.
  var previous: Slot = 0
  var next: Slot = 0
  var previousOwn: Slot = 0
  var nextOwn: Slot = 0
}

/// An order that is still trading, and blocks its book.
struct Sweep: BitwiseCopyable {
  var deferral: Deferral
  var taker: Taker
  var candidate: Candidate
  /// What became of the other side of its quote.
  var partner: Answer?
}
