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
  var operation: Operation

  /// Nonce and index by which the order is known: its own, or those of what it replaces.
  var name: (nonce: UInt64, index: UInt16) {
    operation.rawKind == OperationCode.replace && !operation.flags.contains(.byClientID)
      ? (operation.targetNonce, operation.targetIndex) : (origin.nonce, index)
  }
  var clientID: UInt64 { operation.rawKind == OperationCode.new ? operation.targetNonce : 0 }
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
  /// Links in order of arrival.
  var previous: Slot = 0
  var next: Slot = 0
}

/// An order that is still trading, and blocks its book.
struct Sweep: BitwiseCopyable {
  var deferral: Deferral
  var taker: Taker
  var candidate: Candidate
  /// What became of the other side of its quote.
  var partner: Answer?
  /// The aggregator's step, for a liquidation.
  var liquidation: UInt64 = 0
}
