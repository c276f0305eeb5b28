import Bytes
import Market

/// What a machine says while it applies inputs, in order, in one reused slab of bytes.
///
/// Each record is 20 bytes of header and the payload:
///
/// ```
/// 0 kind u8 │ 1 zero[3] │ 4 destination u32 │ 8 number u64 │ 16 payload length u32 │ 20 payload
/// ```
public struct OutputBuffer: ~Copyable {
  public enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// A numbered message for another machine: kind byte and layout. Goes to the outbox.
    case stream = 1
    /// An `ActionReply` to whoever sent the input (`number` is the input's sequence).
    case reply = 2
    /// An `ExecutionReport` (destination: the account's number).
    case report = 3
    /// A `BookDelta`.
    case book = 4
    /// A request to the machine's own edge; owed until an input says that it was done, see `Machine.resume`.
    case effect = 5
  }

  private static let headerBytes = 20
  public private(set) var writer: ByteWriter
  /// Records since the last clear.
  public private(set) var count = 0

  public init(capacity: Int = 1 << 16) { writer = ByteWriter(capacity: capacity) }

  public var byteCount: Int { writer.count }
  public mutating func clear() {
    writer.clear()
    count = 0
  }

  private mutating func begin(_ kind: Kind, destination: UInt32, number: UInt64) -> Int {
    writer.u32(UInt32(kind.rawValue))
    writer.u32(destination)
    writer.u64(number)
    writer.u32(0)
    count += 1
    return writer.count
  }
  private mutating func end(from start: Int) { writer.patch(UInt32(writer.count - start), at: start - 4) }

  /// Sends `message` to another machine and numbers it.
  public mutating func send(_ message: some StreamMessage, to destination: MachineID, _ streams: inout StreamNumbers) {
    let start = begin(.stream, destination: destination.rawValue, number: streams.takeNext(to: destination))
    writer.u8(type(of: message).kind.rawValue)
    message.write(to: &writer)
    end(from: start)
  }
  public mutating func reply(_ reply: ActionReply, to input: SequenceNumber) {
    let start = begin(.reply, destination: 0, number: input.rawValue)
    reply.write(to: &writer)
    end(from: start)
  }
  /// An `ActionReply` written piecemeal, for the path that must not allocate: `body` writes its exact layout.
  public mutating func reply(to input: SequenceNumber, _ body: (inout ByteWriter) -> Void) {
    let start = begin(.reply, destination: 0, number: input.rawValue)
    body(&writer)
    end(from: start)
  }
  public mutating func report(_ report: ExecutionReport) {
    let start = begin(.report, destination: report.order.account.rawValue, number: report.sequence.rawValue)
    report.write(to: &writer)
    end(from: start)
  }
  public mutating func book(_ delta: BookDelta) {
    let start = begin(.book, destination: delta.instrument.rawValue, number: delta.sequence)
    delta.write(to: &writer)
    end(from: start)
  }
  /// Asks the machine's own edge for something; `code` is the edge's own numbering.
  public mutating func effect(_ code: UInt32, _ payload: some ByteCodable) {
    let start = begin(.effect, destination: code, number: 0)
    payload.write(to: &writer)
    end(from: start)
  }

  /// One record as read back.
  public struct Record {
    public var kind: Kind
    public var destination: UInt32
    public var number: UInt64
    /// Valid until the buffer changes.
    public var payload: UnsafeRawBufferPointer
  }

  /// Calls `body` with each record, in the order of emission.
  public borrowing func forEach(_ body: (Record) throws -> Void) rethrows {
    var reader = ByteReader(writer.bytes)
    while reader.remaining > 0 {
      let kind = Kind(rawValue: UInt8(truncatingIfNeeded: reader.u32()))!
      let destination = reader.u32()
      let number = reader.u64()
      try body(Record(kind: kind, destination: destination, number: number, payload: reader.blob()))
    }
  }
}
