import Bytes
import Machine
import Market

/// The newest nonce that the operator has used, and the answer to it: an older one never counts, a resend of the same
/// listing gets the same answer.
struct LastListing: Sendable, Hashable, BitwiseCopyable {
  /// Zero before the first.
  var nonce: UInt64 = 0
  /// Of the instrument's layout.
  var hash: UInt64 = 0
  var outcome = Outcome.malformed
  var term = Term(0)
  var sequence = SequenceNumber(0)
  var stamp = Timestamp.zero

  init() {}
  init(_ listing: SignedListing, _ header: InputHeader, at stamp: Timestamp, outcome: Outcome) {
    nonce = listing.nonce
    hash = Self.hash(listing.instrument)
    self.outcome = outcome
    term = header.term
    sequence = header.sequence
    self.stamp = stamp
  }

  static func hash(_ instrument: Instrument) -> UInt64 {
    var writer = ByteWriter()
    instrument.write(to: &writer)
    var hasher = StateHasher()
    hasher.combine(writer.bytes)
    return hasher.value
  }
}

extension LastListing: ByteCodable {
  func write(to writer: inout ByteWriter) {
    writer.u64(nonce)
    writer.u64(hash)
    writer.u16(outcome.rawValue)
    term.write(to: &writer)
    sequence.write(to: &writer)
    stamp.write(to: &writer)
  }
  init(from reader: inout ByteReader) {
    nonce = reader.u64()
    hash = reader.u64()
    outcome = reader.enumeration(Outcome.self, otherwise: .malformed)
    term = Term(from: &reader)
    sequence = SequenceNumber(from: &reader)
    stamp = Timestamp(from: &reader)
  }
}
