import Bytes
import Cryptography
import Market

/// Where the journal of one copy of a machine stands.
public struct CopyPosition: ByteCodable, Sendable, Hashable {
  public var machine: MachineID
  /// The copy's node.
  public var node: String
  /// In `followed`: the owner's term that is being followed. In `follow`: of the journal's last entry.
  public var term: Term
  /// The last entry that is durable there, and the link of the batch that it ends.
  public var sequence: SequenceNumber
  public var chainHead: Digest
  /// `CopiedBatch.asked` of the last one that the copy has heard.
  public var echo: Int64

  public init(
    machine: MachineID, node: String, term: Term, sequence: SequenceNumber, chainHead: Digest, echo: Int64
  ) {
    self.echo = echo
    self.machine = machine
    self.node = node
    self.term = term
    self.sequence = sequence
    self.chainHead = chainHead
  }
  public func write(to writer: inout ByteWriter) {
    machine.write(to: &writer)
    writer.text(node)
    term.write(to: &writer)
    sequence.write(to: &writer)
    chainHead.write(to: &writer)
    writer.i64(echo)
  }
  public init(from reader: inout ByteReader) {
    machine = MachineID(from: &reader)
    node = reader.text()
    term = Term(from: &reader)
    sequence = SequenceNumber(from: &reader)
    chainHead = Digest(from: &reader)
    echo = reader.i64()
  }
}

/// One commit batch on its way to a copy. One without entries is a sign of life.
public struct CopiedBatch {
  /// The owner's term.
  public var term: Term
  /// When it was sent, by the owner's own monotonic clock: an answer tells that the owner was heard after this time.
  public var asked: Int64
  /// The entry before its first; the copy must stand there.
  public var after: SequenceNumber
  /// A batch that is durable at the owner, and its link, for the copy to compare.
  public var durable: SequenceNumber
  public var durableLink: Digest
  /// What every consumer has of the outgoing streams.
  public var trims: [StreamPosition]
  /// The entries, each after its `u32` length. Borrowed from the frame.
  public var entries: UnsafeRawBufferPointer

  public init(
    term: Term, asked: Int64, after: SequenceNumber, durable: SequenceNumber, durableLink: Digest,
    trims: [StreamPosition], entries: UnsafeRawBufferPointer
  ) {
    self.term = term
    self.asked = asked
    self.after = after
    self.durable = durable
    self.durableLink = durableLink
    self.trims = trims
    self.entries = entries
  }
  public func write(to writer: inout ByteWriter) {
    term.write(to: &writer)
    writer.i64(asked)
    after.write(to: &writer)
    durable.write(to: &writer)
    durableLink.write(to: &writer)
    writer.u32(UInt32(trims.count))
    for trim in trims { trim.write(to: &writer) }
    writer.bytes(entries)
  }
  /// `nil` for malformed bytes.
  public init?(from reader: inout ByteReader) {
    term = Term(from: &reader)
    asked = reader.i64()
    after = SequenceNumber(from: &reader)
    durable = SequenceNumber(from: &reader)
    durableLink = Digest(from: &reader)
    trims = []
    for _ in 0..<reader.itemCount(minimumSize: 12) { trims.append(StreamPosition(from: &reader)) }
    entries = reader.bytes(reader.remaining)
    if reader.hasFailed { return nil }
  }
}

/// Links of an owner's journal, latest first, for a copy to find the last one that it has too.
public struct CommonGround: ByteCodable, Sendable, Hashable {
  public struct Link: Sendable, Hashable {
    public var sequence: SequenceNumber
    public var link: Digest
    public init(sequence: SequenceNumber, link: Digest) {
      self.sequence = sequence
      self.link = link
    }
  }
  public var term: Term
  public var links: [Link]

  public init(term: Term, links: [Link]) {
    self.term = term
    self.links = links
  }
  public func write(to writer: inout ByteWriter) {
    term.write(to: &writer)
    writer.u32(UInt32(links.count))
    for link in links {
      link.sequence.write(to: &writer)
      link.link.write(to: &writer)
    }
  }
  public init(from reader: inout ByteReader) {
    term = Term(from: &reader)
    links = []
    for _ in 0..<reader.itemCount(minimumSize: 40) {
      links.append(Link(sequence: SequenceNumber(from: &reader), link: Digest(from: &reader)))
    }
  }
}

/// Whether a copy owns its machine.
public struct OwnershipNotice: ByteCodable, Sendable, Hashable {
  public var machine: MachineID
  public var term: Term
  public var isOwner: Bool
  public init(machine: MachineID, term: Term, isOwner: Bool) {
    self.machine = machine
    self.term = term
    self.isOwner = isOwner
  }
  public func write(to writer: inout ByteWriter) {
    machine.write(to: &writer)
    term.write(to: &writer)
    writer.bool(isOwner)
  }
  public init(from reader: inout ByteReader) {
    machine = MachineID(from: &reader)
    term = Term(from: &reader)
    isOwner = reader.bool()
  }
}
