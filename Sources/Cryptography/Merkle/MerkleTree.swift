import Bytes

/// Merkle trees in the shape of RFC 6962: n leaves split at the largest power of two below n. Leaves are given as their
/// digests (`H.leaf`).
///
/// ```
///        root of 5             a root of 2^k leaves is perfect;
///       /         \            the rest hangs to its right
///     [0,4)        4
///    /     \
///  [0,2)  [2,4)
/// ```
public enum MerkleTree<H: MerkleHash> {
  /// The root over `leaves`; `H.emptyRoot` when there are none.
  @inlinable public static func root(_ leaves: [Digest]) -> Digest {
    leaves.withUnsafeBufferPointer { leaves in root(count: leaves.count) { leaves[$0] } }
  }

  /// The root over `count` leaves that `leaf` yields in order of index. It never allocates.
  @inlinable public static func root(count: Int, leaf: (_ index: Int) -> Digest) -> Digest {
    guard count > 0 else { return H.emptyRoot }
    precondition(count < 1 << 32, "a tree in memory has fewer than 2^32 leaves")
    // One perfect subtree for each set bit of the leaves so far, the largest first. 32 of them are 1,024 bytes, the
    // most
    // that still goes onto the stack.
    return withUnsafeTemporaryAllocation(of: Digest.self, capacity: 32) { subtrees in
      var height = 0
      for index in 0..<count {
        var digest = leaf(index)
        for _ in 0..<(~index).trailingZeroBitCount {
          height -= 1
          digest = H.node(subtrees[height], digest)
        }
        subtrees[height] = digest
        height += 1
      }
      var root = subtrees[height - 1]
      for subtree in subtrees[..<(height - 1)].reversed() { root = H.node(subtree, root) }
      return root
    }
  }

  /// The siblings on the way from leaf `index` to the root, the lowest first. `index` must be one of `leaves`.
  public static func proof(of index: Int, in leaves: [Digest]) -> [Digest] {
    precondition(leaves.indices.contains(index), "a proof is of a leaf that the tree has")
    var siblings: [Digest] = []
    var range = 0..<leaves.count
    while range.count > 1 {
      let middle = range.lowerBound + split(range.count)
      let sibling = index < middle ? middle..<range.upperBound : range.lowerBound..<middle
      siblings.append(root(count: sibling.count) { leaves[sibling.lowerBound + $0] })
      range = index < middle ? range.lowerBound..<middle : middle..<range.upperBound
    }
    return siblings.reversed()
  }

  /// Whether `proof` shows that leaf `index` of the `count` leaves under `root` is `leaf`. Any input is allowed; a
  /// proof
  /// too long or too short proves nothing.
  public static func verify(leaf: Digest, index: Int, count: Int, proof: [Digest], root: Digest) -> Bool {
    guard index >= 0, index < count else { return false }
    // RFC 9162, section 2.1.3.2: `position` and `last` are the leaf's and the last leaf's places at the level reached.
    var position = index
    var last = count - 1
    var digest = leaf
    for sibling in proof {
      if last == 0 { return false }
      if position & 1 == 1 || position == last {
        digest = H.node(sibling, digest)
        while position & 1 == 0 && position != 0 {
          position >>= 1
          last >>= 1
        }
      } else {
        digest = H.node(digest, sibling)
      }
      position >>= 1
      last >>= 1
    }
    return last == 0 && digest == root
  }

  /// The largest power of two below `count`, which is above 1.
  private static func split(_ count: Int) -> Int { 1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount) }
}
