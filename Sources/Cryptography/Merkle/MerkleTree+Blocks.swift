import Bytes
import CKeccak

extension MerkleTree where H == RFC6962Keccak {
  /// Bytes of a leaf of `root(blocks:)` unless said otherwise: as many as two digests have.
  public static var blockBytes: Int { 64 }

  /// The root over leaves of `size` bytes each (1 to 134) that lie one after the other: the same as
  /// `root(count:leaf:)`, level by level with several hashes at a time where the processor can. It allocates beyond 32
  /// leaves.
  public static func root(blocks: UnsafeRawBufferPointer, of size: Int = blockBytes) -> Digest {
    precondition(size > 0 && size < 135 && blocks.count % size == 0, "leaves of one size, which fit a Keccak block")
    let count = blocks.count / size
    guard count > 0, let first = blocks.baseAddress else { return RFC6962Keccak.emptyRoot }
    return withUnsafeTemporaryAllocation(byteCount: count * 32, alignment: 8) { level in
      let digests = level.baseAddress!
      guard hash(0, first, size, into: digests, count: count) else {
        return root(count: count) { index in
          RFC6962Keccak.leaf(UnsafeRawBufferPointer(start: first + index * size, count: size))
        }
      }
      var nodes = count
      while nodes > 1 {
        let pairs = nodes / 2
        _ = hash(1, digests, blockBytes, into: digests, count: pairs)
        if nodes % 2 == 1 {
          // The last one has no neighbour and moves up as it is.
          (digests + pairs * 32).copyMemory(from: digests + (nodes - 1) * 32, byteCount: 32)
        }
        nodes = pairs + nodes % 2
      }
      return Digest(UnsafeRawBufferPointer(start: digests, count: 32))
    }
  }

  /// `count` hashes of `prefix` and `size` bytes each; false where the processor has no wide registers.
  private static func hash(
    _ prefix: UInt8, _ inputs: UnsafeRawPointer, _ size: Int, into outputs: UnsafeMutableRawPointer, count: Int
  ) -> Bool {
    novation_keccak256_prefixed(
      prefix, inputs.assumingMemoryBound(to: UInt8.self), size, outputs.assumingMemoryBound(to: UInt8.self), count) != 0
  }
}
