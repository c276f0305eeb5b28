import Market

/// The sending end of one stream, as its producer's host keeps it: who consumes it now and how far it got. Nothing here
/// survives a restart; the outbox does.
struct Outlet {
  /// Messages that may be on their way unacknowledged; beyond it the outbox holds them.
  static let window: UInt64 = 65_536

  let consumer: MachineID
  /// The consumer's present connection; `nil` until it subscribes.
  var identity: [UInt8]?
  /// Last number handed to the transport on this connection.
  var sent: UInt64 = 0
  /// Last number that is durable here.
  var ready: UInt64
  /// Last number that is durable at the consumer.
  var acknowledged: UInt64 = 0
  /// The transport refused the last frame; the outbox is asked again at the next chance.
  var isStalled = false

  init(consumer: MachineID, ready: UInt64) {
    self.consumer = consumer
    self.ready = ready
  }

  var hasRoom: Bool { identity != nil && !isStalled && sent &- acknowledged < Self.window }
}
