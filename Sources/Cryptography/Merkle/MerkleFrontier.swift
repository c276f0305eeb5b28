import Bytes

/// A Merkle tree that only grows, held as what its next root needs: the roots of its perfect subtrees, at most one a
/// level. Its root is that of `MerkleTree` over the same leaves.
///
/// Layout: count u64, then 32 bytes for each set bit of the count, from the highest bit to the lowest.
public struct MerkleFrontier<H: MerkleHash>: Hashable, Sendable, ByteCodable {
  /// Leaves appended.
  @inlinable public var count: UInt64 { leaves }
  @usableFromInline var leaves: UInt64
  /// Roots of the perfect subtrees, the largest first.
  @usableFromInline var subtrees: [Digest]

  /// The tree without leaves.
  public init() {
    leaves = 0
    subtrees = []
  }

  /// Adds a leaf by its digest. Amortised one hash.
  @inlinable public mutating func append(_ leaf: Digest) {
    var digest = leaf
    for _ in 0..<(~leaves).trailingZeroBitCount { digest = H.node(subtrees.removeLast(), digest) }
    subtrees.append(digest)
    leaves += 1
  }

  /// Adds the leaf of `bytes`.
  @inlinable public mutating func append(bytes: UnsafeRawBufferPointer) { append(H.leaf(bytes)) }

  /// The root over all leaves so far; `H.emptyRoot` when there are none. O(log count) hashes.
  @inlinable public var root: Digest {
    guard var root = subtrees.last else { return H.emptyRoot }
    for subtree in subtrees.dropLast().reversed() { root = H.node(subtree, root) }
    return root
  }

  public func write(to writer: inout ByteWriter) {
    writer.u64(count)
    for subtree in subtrees { subtree.write(to: &writer) }
  }

  public init(from reader: inout ByteReader) {
    let count = reader.u64()
    // No tree grows so large; refused here so that counting on can never overflow.
    if count > UInt64(Int64.max) { reader.fail() }
    leaves = count
    subtrees = (0..<count.nonzeroBitCount).map { _ in Digest(from: &reader) }
  }
}
