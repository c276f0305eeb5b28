import Bytes
import Market

/// A run of messages of one outgoing stream, as an input's outputs left them in the outbox.
///
/// Layout: epoch u32, count u16, then each message as in a `stream` payload: u32 length, kind byte, layout.
public struct OutboxChunk {
  /// Whose inbox it is for.
  public var destination: MachineID
  /// Number of the first message on the stream.
  public var firstNumber: UInt64
  /// Messages in the chunk.
  public var count: UInt16
  /// The epoch in which the machine produced them.
  public var epoch: Epoch
  /// The messages; valid as long as the call that handed out the chunk.
  public var messages: UnsafeRawBufferPointer

  /// A chunk that is kept elsewhere than in an outbox of LMDB.
  public init(
    destination: MachineID, firstNumber: UInt64, count: UInt16, epoch: Epoch, messages: UnsafeRawBufferPointer
  ) {
    self.destination = destination
    self.firstNumber = firstNumber
    self.count = count
    self.epoch = epoch
    self.messages = messages
  }

  static let headerByteCount = 6
  /// Number of the last message.
  public var lastNumber: UInt64 { firstNumber + UInt64(count) - 1 }

  init?(_ key: OutboxKey, _ value: UnsafeRawBufferPointer) {
    var reader = ByteReader(value)
    destination = key.destination
    firstNumber = key.firstNumber
    epoch = Epoch(from: &reader)
    count = reader.u16()
    messages = reader.bytes(reader.remaining)
    let fits = !firstNumber.addingReportingOverflow(UInt64(count)).overflow
    if reader.hasFailed || count == 0 || !fits { return nil }
  }
}

/// Key of an outbox chunk: destination u32, first number u64, both big-endian, so that bytes sort as numbers do.
struct OutboxKey: LMDBKey, Equatable {
  var destination: MachineID
  var firstNumber: UInt64

  static var comparesAsInteger: Bool { false }

  init(destination: MachineID, firstNumber: UInt64) {
    self.destination = destination
    self.firstNumber = firstNumber
  }

  init?(keyBytes: UnsafeRawBufferPointer) {
    guard keyBytes.count == 12 else { return nil }
    destination = MachineID(rawValue: UInt32(bigEndian: keyBytes.loadUnaligned(as: UInt32.self)))
    firstNumber = UInt64(bigEndian: keyBytes.loadUnaligned(fromByteOffset: 4, as: UInt64.self))
  }

  func withKeyBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let high = UInt64(destination.rawValue) << 32 | firstNumber >> 32
    let low = UInt32(truncatingIfNeeded: firstNumber)
    return withUnsafeTemporaryAllocation(byteCount: 12, alignment: 8) { bytes in
      bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
      bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt32.self)
      return body(UnsafeRawBufferPointer(bytes))
    }
  }
}
