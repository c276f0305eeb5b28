import Market

/// The receiving end of one stream, as its consumer's host keeps it.
struct Inlet {
  /// Silence after which the subscription is sent again: a lost frame or a restarted producer heals by itself.
  static let silenceNanoseconds: Int64 = 300_000_000

  let source: MachineID
  /// Last number appended to the own journal.
  var received: UInt64
  /// Last number that is durable here.
  var durable: UInt64
  /// Last number acknowledged to the source.
  var acknowledged: UInt64 = 0
  /// Monotonic time of the last sign of life, and of the last subscription.
  var heardAt: Int64 = 0
  var subscribedAt: Int64 = 0
  /// Chunks that were dropped because they had been consumed before, or came after a gap.
  var duplicates: UInt64 = 0
  var gaps: UInt64 = 0

  init(source: MachineID, received: UInt64) {
    self.source = source
    self.received = received
    durable = received
  }
}
