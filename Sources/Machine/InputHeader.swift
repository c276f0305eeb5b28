import Bytes
import Market

/// What kind of thing a journal entry's payload is.
public enum InputKind: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// The `MarketDefinition`; always entry 1.
  case genesis = 1
  /// A deadline has come; no payload.
  case tick = 2
  /// The epoch ends: a `Seal`.
  case seal = 3
  /// A `SignedAction`; at risk also a `SignedListing`.
  case action = 4
  /// Messages of another machine's stream: `count` of them from `firstNumber`, each `u32` length, kind byte, layout.
  case stream = 5
  /// An oracle's publication: `ShardMarks` or `RiskMarks`.
  case marks = 6
  /// A client session has ended: `SessionEnd`.
  case sessionEnd = 7
  /// An `Attestation` (coordinator).
  case attestation = 8
  /// A `SettlementEvent` (coordinator).
  case settlementEvent = 9
  /// Carry on with unfinished work.
  case continuation = 10
  /// The owner gives the machine to another copy; no payload. Whatever follows is of a later term.
  case handOver = 11
  /// An input that is kept from the machine: `QuarantinedInput`. Its stream's numbers go on and its nonce is spent.
  case quarantined = 12
}

/// The runtime's part of a journal entry, 48 bytes little-endian:
///
/// ```
///  0 sequence u64 │ 8 stamp i64 │ 16 first number u64 │ 24 term u32 │ 28 epoch u32 │ 32 source u32
/// 36 payload length u32 │ 40 count u16 │ 42 kind u8 │ 43 layout version u8 │ 44 CRC-32C u32 of all else
/// ```
public struct InputHeader: Sendable, Hashable, BitwiseCopyable {
  public static let byteCount = 48
  public static let layoutVersion: UInt8 = 1

  public var sequence: SequenceNumber
  public var stamp: Timestamp
  public var term: Term
  public var kind: InputKind
  /// Whose stream the messages are from; `.none` unless `kind` is `stream`.
  public var source: MachineID
  /// The epoch in which the source produced them.
  public var epoch: Epoch
  /// Number of the first message on that stream.
  public var firstNumber: UInt64
  /// Messages in the payload.
  public var count: UInt16

  public init(
    sequence: SequenceNumber, stamp: Timestamp, term: Term, kind: InputKind, source: MachineID = .none,
    epoch: Epoch = Epoch(0), firstNumber: UInt64 = 0, count: UInt16 = 0
  ) {
    self.sequence = sequence
    self.stamp = stamp
    self.term = term
    self.kind = kind
    self.source = source
    self.epoch = epoch
    self.firstNumber = firstNumber
    self.count = count
  }
}

/// The gateway's word that a session is gone.
public struct SessionEnd: ByteCodable, Sendable, Hashable {
  public var session: UInt64
  public var generation: UInt64
  public init(session: UInt64, generation: UInt64) {
    self.session = session
    self.generation = generation
  }
  public func write(to writer: inout ByteWriter) {
    writer.u64(session)
    writer.u64(generation)
  }
  public init(from reader: inout ByteReader) {
    session = reader.u64()
    generation = reader.u64()
  }
}

/// Walks the messages of a `stream` payload.
public struct StreamMessages {
  private var reader: ByteReader
  private var left: Int
  private var nextNumber: UInt64

  /// The payload must outlive the walk.
  public init(_ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    reader = ByteReader(payload)
    left = Int(header.count)
    nextNumber = header.firstNumber
  }

  /// True when the payload held exactly the messages that the header announced (ask after the last one).
  public var isExhausted: Bool { left == 0 && reader.isExhausted }

  /// The next message: its stream number, its kind (`nil` if unknown) and a reader over its layout.
  public mutating func next() -> (number: UInt64, kind: MessageKind?, body: ByteReader)? {
    guard left > 0 else { return nil }
    var body = ByteReader(reader.blob())
    guard !reader.hasFailed else { return nil }
    let kind = MessageKind(rawValue: body.u8())
    left -= 1
    // The number is hostile too: it may be the last one of all.
    defer { nextNumber &+= 1 }
    return (nextNumber, kind, body)
  }
}
