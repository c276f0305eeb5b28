import Market

/// One answered action, remembered until its signature has expired: one cache line.
struct NonceRecord: BitwiseCopyable {
  var nonce: UInt64
  var accountSlot: Slot
  var key: UInt16
  /// Operations of the action.
  var count: UInt16
  /// Of the signed content.
  var hash: UInt64
  var sequence: SequenceNumber
  var stamp: Timestamp
  /// The first operation's result.
  var filled: Int64 = 0
  var term: Term
  /// Results of operations 1 ..., a chain of `MoreResults`.
  var more: Slot = 0
  /// The next record with the same expiry.
  var next: Slot = 0
  var outcome: Outcome = .pending
}

/// The result of one more operation of a batch.
struct MoreResults: BitwiseCopyable {
  var next: Slot = 0
  var outcome: Outcome = .pending
  var filled: Int64 = 0
}

/// The records whose signatures expire in one second.
struct ExpiryBucket: BitwiseCopyable {
  /// Unix seconds.
  var second: Int64
  var first: Slot
  var last: Slot
}
