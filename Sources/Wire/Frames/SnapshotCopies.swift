import Bytes
import Market

/// What a copy asks of its owner to begin after a snapshot: parts of it, or what the machine had sent by then and a
/// consumer has not acknowledged. Asked again when nothing comes: the owner keeps no record of it.
public struct CopyRequest: ByteCodable, Sendable, Hashable {
  public var machine: MachineID
  /// The copy's node.
  public var node: String
  /// The owner's term that is being followed.
  public var term: Term
  /// The entry after which the snapshot was taken.
  public var sequence: SequenceNumber
  /// Parts, when there is no consumer: the first one, from 1, and how many.
  public var firstPart: UInt32
  public var partCount: UInt32
  /// A consumer of the machine's streams, and the numbers of the messages to it that are asked for.
  public var consumer: MachineID
  public var firstNumber: UInt64
  public var lastNumber: UInt64

  /// Asks for parts of the snapshot.
  public init(
    machine: MachineID, node: String, term: Term, sequence: SequenceNumber, firstPart: UInt32, partCount: UInt32
  ) {
    self.machine = machine
    self.node = node
    self.term = term
    self.sequence = sequence
    self.firstPart = firstPart
    self.partCount = partCount
    consumer = .none
    firstNumber = 0
    lastNumber = 0
  }

  /// Asks for messages to a consumer.
  public init(
    machine: MachineID, node: String, term: Term, sequence: SequenceNumber, consumer: MachineID,
    numbers: ClosedRange<UInt64>
  ) {
    self.machine = machine
    self.node = node
    self.term = term
    self.sequence = sequence
    firstPart = 0
    partCount = 0
    self.consumer = consumer
    firstNumber = numbers.lowerBound
    lastNumber = numbers.upperBound
  }

  public func write(to writer: inout ByteWriter) {
    machine.write(to: &writer)
    writer.text(node)
    term.write(to: &writer)
    sequence.write(to: &writer)
    writer.u32(firstPart)
    writer.u32(partCount)
    consumer.write(to: &writer)
    writer.u64(firstNumber)
    writer.u64(lastNumber)
  }
  public init(from reader: inout ByteReader) {
    machine = MachineID(from: &reader)
    node = reader.text()
    term = Term(from: &reader)
    sequence = SequenceNumber(from: &reader)
    firstPart = reader.u32()
    partCount = reader.u32()
    consumer = MachineID(from: &reader)
    firstNumber = reader.u64()
    lastNumber = reader.u64()
  }
}

/// One part of a snapshot on its way to a copy.
public struct SnapshotPart {
  /// The owner's term.
  public var term: Term
  /// The entry after which the snapshot was taken.
  public var sequence: SequenceNumber
  /// The part, from 1.
  public var part: UInt32
  /// Borrowed from the frame.
  public var bytes: UnsafeRawBufferPointer

  public init(term: Term, sequence: SequenceNumber, part: UInt32, bytes: UnsafeRawBufferPointer) {
    self.term = term
    self.sequence = sequence
    self.part = part
    self.bytes = bytes
  }
  public func write(to writer: inout ByteWriter) {
    term.write(to: &writer)
    sequence.write(to: &writer)
    writer.u32(part)
    writer.bytes(bytes)
  }
  /// `nil` for malformed bytes.
  public init?(from reader: inout ByteReader) {
    term = Term(from: &reader)
    sequence = SequenceNumber(from: &reader)
    part = reader.u32()
    bytes = reader.bytes(reader.remaining)
    if reader.hasFailed { return nil }
  }
}

/// Messages that the owner still holds for a consumer, from a number on; the chunks follow, each as `OwedChunk` writes
/// itself.
public struct OwedMessages: ByteCodable, Sendable, Hashable {
  /// The owner's term.
  public var term: Term
  public var consumer: MachineID
  /// The number that was asked for.
  public var firstNumber: UInt64
  /// Nothing that was asked for comes after these.
  public var isLast: Bool

  public init(term: Term, consumer: MachineID, firstNumber: UInt64, isLast: Bool) {
    self.term = term
    self.consumer = consumer
    self.firstNumber = firstNumber
    self.isLast = isLast
  }
  public func write(to writer: inout ByteWriter) {
    term.write(to: &writer)
    consumer.write(to: &writer)
    writer.u64(firstNumber)
    writer.bool(isLast)
  }
  public init(from reader: inout ByteReader) {
    term = Term(from: &reader)
    consumer = MachineID(from: &reader)
    firstNumber = reader.u64()
    isLast = reader.bool()
  }
}
