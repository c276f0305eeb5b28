import Market

/// One answered action, remembered until its signature has expired: one cache line.
struct NonceRecord: BitwiseCopyable {
  var nonce: UInt64
  var accountSlot: Slot
  var key: UInt16
  /// Operations of the action.
  var count: UInt16
  /// Of the signed content.
  var content: UInt64
  var sequence: SequenceNumber
  var stamp: Timestamp
  /// The first operation's result.
  var filled: Int64 = 0
  var term: Term
  /// Results of operations 1 ..., see `NonceLedger.more`.
  var more: Slot = 0
  var outcome: Outcome = .pending
}

/// What forgetting a record takes, apart from it, so that the record need not be read again.
struct NonceTrace: BitwiseCopyable {
  /// The block of the account's tracks that holds the record; its hash, if the ledger's table does.
  var place: UInt32
  /// And `batch` if results must go with it, `hashed` if the table holds it; 0 once the record is forgotten.
  var accountSlot: Slot
  static let batch: Slot = 1 << 31
  static let hashed: Slot = 1 << 30
}

/// The result of one more operation of a batch.
struct MoreResult: BitwiseCopyable {
  var filled: Int64
  var outcome: Outcome
}

/// The records whose signatures expire in one second, in order of arrival.
struct ExpiryBucket: BitwiseCopyable {
  /// Unix seconds.
  var second: Int64
  /// The oldest record.
  var first: Slot = 0
  /// Where the next one goes; a multiple of `NonceLedger.run` where a new run must begin.
  var next: Slot = 0
  var count: UInt32 = 0
}
