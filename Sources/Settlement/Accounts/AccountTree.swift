import Bytes
import Cryptography
import Market

/// The Merkle tree whose root is posted: a place for each account id, Keccak-256, depth 24.
///
/// ```
/// leaf   Keccak-256(0x10 ‖ leaf bytes)          node   Keccak-256(0x11 ‖ left ‖ right)
/// empty  Keccak-256(0x12)                       level 0 = leaves, level 24 = root
/// ```
///
/// Nodes lie in pages of 256, which exist only where a leaf below was ever set, so memory follows the accounts, and a
/// copy of the tree shares its pages until one of the two changes them.
public struct AccountTree: Sendable {
  /// Depth of the posted tree.
  public static let depth = 24
  /// Sets an inner node's hash apart from a leaf's.
  public static let nodePrefix: UInt8 = 0x11
  /// The one byte whose hash stands for an account that does not exist.
  public static let emptyPrefix: UInt8 = 0x12
  private static let pageSize = 256

  /// Roots of empty subtrees, by level.
  private static let emptyRoots: [Digest] = {
    var roots = [Keccak256.hash([emptyPrefix])]
    for level in 0..<depth { roots.append(node(roots[level], roots[level])) }
    return roots
  }()

  /// Levels above the leaves.
  public let depth: Int
  /// By level, page, place; an empty page stands for 256 empty subtrees.
  private var levels: [[[Digest]]]

  /// An empty tree; a depth below 24 is for tests.
  public init(depth: Int = AccountTree.depth) {
    precondition((1...AccountTree.depth).contains(depth), "an account tree has 1 to 24 levels")
    self.depth = depth
    levels = Array(repeating: [], count: depth + 1)
  }

  /// Number of places for accounts.
  public var capacity: UInt32 { 1 << UInt32(depth) }
  public var root: Digest { self[depth, 0] }
  /// The account's leaf hash; `nil` where no leaf was set.
  public func leaf(of account: AccountID) -> Digest? {
    guard account.rawValue < capacity else { return nil }
    let leaf = self[0, Int(account.rawValue)]
    return leaf == Self.emptyRoots[0] ? nil : leaf
  }

  /// The hash of an inner node.
  public static func node(_ left: Digest, _ right: Digest) -> Digest {
    withUnsafeTemporaryAllocation(byteCount: 65, alignment: 8) { buffer in
      buffer[0] = nodePrefix
      left.withBytes { UnsafeMutableRawBufferPointer(rebasing: buffer[1..<33]).copyMemory(from: $0) }
      right.withBytes { UnsafeMutableRawBufferPointer(rebasing: buffer[33..<65]).copyMemory(from: $0) }
      return Keccak256.hash(UnsafeRawBufferPointer(buffer))
    }
  }

  private subscript(level: Int, index: Int) -> Digest {
    let (page, place) = index.quotientAndRemainder(dividingBy: Self.pageSize)
    guard page < levels[level].count, !levels[level][page].isEmpty else { return Self.emptyRoots[level] }
    return levels[level][page][place]
  }

  private mutating func set(_ level: Int, _ index: Int, to digest: Digest) {
    let (page, place) = index.quotientAndRemainder(dividingBy: Self.pageSize)
    while levels[level].count <= page { levels[level].append([]) }
    if levels[level][page].isEmpty {
      let places = min(Self.pageSize, 1 << (depth - level))
      levels[level][page] = Array(repeating: Self.emptyRoots[level], count: places)
    }
    levels[level][page][place] = digest
  }

  /// Sets leaves in one pass: every inner node above them is hashed once.
  ///
  /// The accounts must ascend strictly and have a place in the tree; otherwise nothing changes and it returns false.
  /// - Complexity: O(leaves × depth) hashes at most.
  public mutating func update(_ leaves: [(account: AccountID, hash: Digest)]) -> Bool {
    for (previous, next) in zip(leaves, leaves.dropFirst()) where previous.account >= next.account { return false }
    guard let last = leaves.last else { return true }
    guard last.account.rawValue < capacity else { return false }
    for leaf in leaves { set(0, Int(leaf.account.rawValue), to: leaf.hash) }
    var changed = leaves.map { Int($0.account.rawValue) }
    for level in 0..<depth {
      var parents: [Int] = []
      for index in changed where parents.last != index / 2 { parents.append(index / 2) }
      for parent in parents {
        set(level + 1, parent, to: Self.node(self[level, 2 * parent], self[level, 2 * parent + 1]))
      }
      changed = parents
    }
    return true
  }

  /// The siblings from the account's leaf up to the root; `nil` for an account that has no place.
  public func proof(of account: AccountID) -> [Digest]? {
    guard account.rawValue < capacity else { return nil }
    return (0..<depth).map { self[$0, Int(account.rawValue) >> $0 ^ 1] }
  }

  /// The root that a leaf at the account's place and these siblings lead to.
  public static func root(leaf: Digest, account: AccountID, siblings: [Digest]) -> Digest {
    var digest = leaf
    for (level, sibling) in siblings.enumerated() {
      let isRight = account.rawValue >> UInt32(level) & 1 == 1
      digest = isRight ? node(sibling, digest) : node(digest, sibling)
    }
    return digest
  }

  /// Whether the leaf stands at the account's place under `root`.
  public static func verify(
    leaf: Digest, account: AccountID, siblings: [Digest], root: Digest, depth: Int = AccountTree.depth
  ) -> Bool {
    siblings.count == depth && account.rawValue >> UInt32(depth) == 0
      && self.root(leaf: leaf, account: account, siblings: siblings) == root
  }
}

/// Layout: depth u8, u32 count, then (account u32, leaf hash [32]) in order of account. Inner nodes are hashed anew.
extension AccountTree: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    writer.u8(UInt8(depth))
    let countOffset = writer.count
    writer.u32(0)
    var count: UInt32 = 0
    for (page, leaves) in levels[0].enumerated() {
      for (place, leaf) in leaves.enumerated() where leaf != Self.emptyRoots[0] {
        writer.u32(UInt32(page * Self.pageSize + place))
        leaf.write(to: &writer)
        count += 1
      }
    }
    writer.patch(count, at: countOffset)
  }

  public init(from reader: inout ByteReader) {
    let depth = Int(reader.u8())
    let isPossible = (1...AccountTree.depth).contains(depth)
    self.init(depth: isPossible ? depth : 1)
    let leaves = (0..<reader.itemCount(minimumSize: 36)).map { _ in
      (account: AccountID(from: &reader), hash: Digest(from: &reader))
    }
    if !isPossible || !update(leaves) { reader.fail() }
  }
}
