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
    /// An `InstrumentStatus`.
    case status = 6
  }

  @usableFromInline var slab: ByteWriter
  @usableFromInline var records = 0
  /// The records' bytes.
  @inlinable public var writer: ByteWriter { _read { yield slab } }
  /// Records since the last clear.
  @inlinable public var count: Int { records }

  public init(capacity: Int = 1 << 16) { slab = ByteWriter(capacity: capacity) }

  public var byteCount: Int { slab.count }
  public mutating func clear() {
    slab.clear()
    records = 0
  }

  private mutating func begin(_ kind: Kind, destination: UInt32, number: UInt64) -> Int {
    _ = extend(kind, destination: destination, number: number, by: 0)
    return slab.count
  }
  private mutating func end(from start: Int) { slab.patch(UInt32(slab.count - start), at: start - 4) }

  /// Appends a record with exactly `byteCount` bytes of payload and returns where they go: for the path that must not
  /// allocate and writes a layout field by field.
  @inlinable @inline(__always) public mutating func extend(
    _ kind: Kind, destination: UInt32, number: UInt64, by byteCount: Int
  ) -> UnsafeMutableRawPointer {
    let head = extend(by: Self.headBytes &+ byteCount, records: 1)
    Self.begin(kind, destination: destination, number: number, by: byteCount, at: head)
    return head + Self.headBytes
  }

  /// Bytes of a record before its payload.
  @inlinable public static var headBytes: Int { 20 }

  /// Makes room for `records` records of `byteCount` bytes in all and returns where they go, one after another: each
  /// begins with what `begin` writes.
  @inlinable @inline(__always) public mutating func extend(by byteCount: Int, records count: Int)
    -> UnsafeMutableRawPointer
  {
    records &+= count
    return slab.extend(by: byteCount)
  }

  /// Writes the `headBytes` of a record whose payload has `byteCount` bytes.
  @inlinable @inline(__always) public static func begin(
    _ kind: Kind, destination: UInt32, number: UInt64, by byteCount: Int, at head: UnsafeMutableRawPointer
  ) {
    let first = UInt64(kind.rawValue) | UInt64(destination) &<< 32
    head.storeBytes(of: first.littleEndian, as: UInt64.self)
    head.storeBytes(of: number.littleEndian, toByteOffset: 8, as: UInt64.self)
    head.storeBytes(of: UInt32(truncatingIfNeeded: byteCount).littleEndian, toByteOffset: 16, as: UInt32.self)
  }

  /// Sends `message` to another machine and numbers it.
  public mutating func send(_ message: some StreamMessage, to destination: MachineID, _ streams: inout StreamNumbers) {
    let start = begin(.stream, destination: destination.rawValue, number: streams.takeNext(to: destination))
    slab.u8(type(of: message).kind.rawValue)
    message.write(to: &slab)
    end(from: start)
  }
  public mutating func reply(_ reply: ActionReply, to input: SequenceNumber) {
    let start = begin(.reply, destination: 0, number: input.rawValue)
    reply.write(to: &slab)
    end(from: start)
  }
  /// An `ActionReply` written piecemeal, for the path that must not allocate: `body` writes its exact layout.
  public mutating func reply(to input: SequenceNumber, _ body: (inout ByteWriter) -> Void) {
    let start = begin(.reply, destination: 0, number: input.rawValue)
    body(&slab)
    end(from: start)
  }
  public mutating func report(_ report: ExecutionReport) {
    let start = begin(.report, destination: report.order.account.rawValue, number: report.sequence.rawValue)
    report.write(to: &slab)
    end(from: start)
  }
  public mutating func book(_ delta: BookDelta) {
    let start = begin(.book, destination: delta.instrument.rawValue, number: delta.sequence)
    delta.write(to: &slab)
    end(from: start)
  }
  public mutating func status(_ status: InstrumentStatus) {
    let start = begin(.status, destination: status.instrument.rawValue, number: status.sequence)
    status.write(to: &slab)
    end(from: start)
  }
  /// Asks the machine's own edge for something; `code` is the edge's own numbering.
  public mutating func effect(_ code: UInt32, _ payload: some ByteCodable) {
    let start = begin(.effect, destination: code, number: 0)
    payload.write(to: &slab)
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
    var reader = ByteReader(slab.bytes)
    while reader.remaining > 0 {
      let kind = Kind(rawValue: UInt8(truncatingIfNeeded: reader.u32()))!
      let destination = reader.u32()
      let number = reader.u64()
      try body(Record(kind: kind, destination: destination, number: number, payload: reader.blob()))
    }
  }
}
