import Bytes
import Cryptography
import Market

/// The roots of an epoch header, each an `RFC6962Keccak` root over the byte strings said here (little-endian); over
/// nothing it is Keccak-256 of the empty string.
public enum EpochRoots {
  /// Machine u32, fill number u64, fill root [32], for each machine in order.
  public static func fills(_ commitments: [Commitment]) -> Digest {
    root(commitments) { commitment, writer in
      commitment.machine.write(to: &writer)
      writer.u64(commitment.fillNumber)
      commitment.fillRoot.write(to: &writer)
    }
  }

  /// Machine u32 and its `Seal` (88 bytes: epoch, term, first and last sequence, chain head, entry root), for each
  /// machine in order.
  public static func inputs(_ commitments: [Commitment]) -> Digest {
    root(commitments) { commitment, writer in
      commitment.machine.write(to: &writer)
      commitment.seal.write(to: &writer)
    }
  }

  /// Account u32, currency u8, amount i64, recipient [20], nonce u64, for each withdrawal in order of grant.
  public static func withdrawals(_ withdrawals: [Commitment.GrantedWithdrawal]) -> Digest {
    root(withdrawals) { withdrawal, writer in
      withdrawal.account.write(to: &writer)
      withdrawal.currency.write(to: &writer)
      withdrawal.amount.write(to: &writer)
      withdrawal.recipient.write(to: &writer)
      writer.u64(withdrawal.nonce)
    }
  }

  /// 0 u8, instrument u32, mark i64 for each instrument that has a mark, in order; then 1 u8, underlying u32, index i64
  /// for each underlying, in order.
  public static func marks(_ marks: [Price?], indices: [Price]) -> Digest {
    var frontier = MerkleFrontier<RFC6962Keccak>()
    var writer = ByteWriter(capacity: 64)
    for (instrument, mark) in marks.enumerated() {
      guard let mark else { continue }
      append(0, UInt32(truncatingIfNeeded: instrument), mark, &writer, &frontier)
    }
    for (underlying, index) in indices.enumerated() {
      append(1, UInt32(truncatingIfNeeded: underlying), index, &writer, &frontier)
    }
    return frontier.root
  }

  private static func append(
    _ tag: UInt8, _ id: UInt32, _ price: Price, _ writer: inout ByteWriter,
    _ frontier: inout MerkleFrontier<RFC6962Keccak>
  ) {
    writer.clear()
    writer.u8(tag)
    writer.u32(id)
    price.write(to: &writer)
    frontier.append(bytes: writer.bytes)
  }

  private static func root<Item>(_ items: [Item], _ encode: (Item, inout ByteWriter) -> Void) -> Digest {
    var writer = ByteWriter(capacity: 128)
    var frontier = MerkleFrontier<RFC6962Keccak>()
    for item in items {
      writer.clear()
      encode(item, &writer)
      frontier.append(bytes: writer.bytes)
    }
    return frontier.root
  }
}
