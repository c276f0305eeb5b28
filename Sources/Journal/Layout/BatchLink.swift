import Bytes
import Cryptography

/// The hash chain over a journal's commit batches.
///
/// A batch's link is SHA-256(previous link ‖ leaf ‖ leaf ‖ …) over the RFC 6962 leaf digests, SHA-256(0x00 ‖ entry), of
/// its entries in order; an entry's bytes are those of `EntryCodec`. The link before the first batch is 32 zero bytes.
public struct BatchLink: ~Copyable {
  private var writer = ByteWriter(capacity: 4096)

  /// Starts the batch that follows `previous`.
  public init(after previous: Digest) { previous.write(to: &writer) }

  /// Starts over with the batch that follows `previous`; keeps its memory.
  public mutating func restart(after previous: Digest) {
    writer.clear()
    previous.write(to: &writer)
  }

  /// Takes in the batch's next entry by its leaf digest.
  public mutating func append(_ leaf: Digest) { leaf.write(to: &writer) }

  /// Entries taken in.
  public var count: Int { writer.count / 32 - 1 }
  /// The link over what was taken in.
  public var digest: Digest { SHA256.hash(writer.bytes) }
}
