import Bytes
import Cryptography
import Machine
import Market

/// How far a journal has come: its last entry, its chain, and the tree of the epoch's entries so far.
public struct JournalPosition: Sendable, Hashable {
  /// The last entry, its stamp and its term; zero before the first.
  public var sequence = SequenceNumber(0)
  public var stamp = Timestamp.zero
  public var term = Term(0)
  /// Link of the last commit batch.
  public var chainHead = Digest.zero
  /// First entry of the epoch: the one after the last seal. A seal belongs to no epoch's tree; it holds its root.
  public var epochFirstSequence = SequenceNumber(1)
  /// RFC 6962 tree over the epoch's entries so far.
  public var epochFrontier = MerkleFrontier<RFC6962SHA256>()

  /// Before the first entry.
  public init() {}

  /// Whether it lies before the first entry.
  public var isBeginning: Bool { sequence.rawValue == 0 }

  /// RFC 6962 root over the epoch's entries so far.
  public var entryRoot: Digest { epochFrontier.root }

  /// Moves on by one entry. A seal ends the epoch's tree.
  public mutating func advance(_ header: InputHeader, leaf: Digest) {
    sequence = header.sequence
    stamp = header.stamp
    term = header.term
    if header.kind == .seal {
      epochFrontier = MerkleFrontier()
      epochFirstSequence = header.sequence.next
    } else {
      epochFrontier.append(leaf)
    }
  }
}

/// sequence u64, stamp i64, term u32, chain head [32], first sequence of the epoch u64, frontier of its entries.
extension JournalPosition: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    sequence.write(to: &writer)
    stamp.write(to: &writer)
    term.write(to: &writer)
    chainHead.write(to: &writer)
    epochFirstSequence.write(to: &writer)
    epochFrontier.write(to: &writer)
  }

  public init(from reader: inout ByteReader) {
    sequence = SequenceNumber(from: &reader)
    stamp = Timestamp(from: &reader)
    term = Term(from: &reader)
    chainHead = Digest(from: &reader)
    epochFirstSequence = SequenceNumber(from: &reader)
    epochFrontier = MerkleFrontier(from: &reader)
  }
}
