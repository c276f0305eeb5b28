import Bytes
import Cryptography
import Market
import Settlement
import Testing

@Suite struct AccountTreeTests {
  private func set(_ tree: inout AccountTree, _ leaves: [(account: AccountID, hash: Digest)]) -> Bool {
    tree.update(leaves)
  }

  /// The root by definition: every place, every level, nothing shared.
  private func bruteForceRoot(_ leaves: [UInt32: Digest], depth: Int) -> Digest {
    var level = (0..<UInt32(1) << UInt32(depth)).map { leaves[$0] ?? Keccak256.hash([0x12]) }
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: 2).map {
        Keccak256.hash([0x11] + level[$0].array + level[$0 + 1].array)
      }
    }
    return level[0]
  }

  @Test(arguments: [1, 3, 6]) func everyUpdateGivesTheRootOfAFullRecomputation(depth: Int) {
    var random = Seeded(UInt64(depth))
    var tree = AccountTree(depth: depth)
    var leaves: [UInt32: Digest] = [:]
    #expect(tree.root == bruteForceRoot(leaves, depth: depth))
    for step in 0..<60 {
      let count = Int.random(in: 1...(1 << depth), using: &random)
      let ids = (0..<UInt32(1) << UInt32(depth)).shuffled(using: &random).prefix(count).sorted()
      let batch = ids.map {
        (account: AccountID($0), hash: Keccak256.hash([UInt8(step), UInt8($0), UInt8(depth)]))
      }
      for leaf in batch { leaves[leaf.account.rawValue] = leaf.hash }
      #expect(set(&tree, batch))
      #expect(tree.root == bruteForceRoot(leaves, depth: depth))
    }
  }

  @Test func aBatchGivesTheSameRootAsSingleUpdates() {
    var batched = AccountTree()
    var single = AccountTree()
    let batch = [0, 1, 2, 255, 256, 70_000, 16_777_215].map {
      (account: AccountID($0), hash: Keccak256.hash([UInt8($0 % 251)]))
    }
    #expect(set(&batched, batch))
    for leaf in batch.reversed() { #expect(set(&single, [leaf])) }
    #expect(batched.root == single.root)
    #expect(batched.encoded == single.encoded)
  }

  @Test func everyPlaceIsProvenAndNoOther() throws {
    var tree = AccountTree()
    let leaves = (0..<40).map { (account: AccountID(UInt32($0) * 3), hash: Keccak256.hash([UInt8($0), 7])) }
    #expect(set(&tree, leaves))
    for leaf in leaves {
      let siblings = try #require(tree.proof(of: leaf.account))
      #expect(siblings.count == 24)
      #expect(AccountTree.verify(leaf: leaf.hash, account: leaf.account, siblings: siblings, root: tree.root))
      let neighbour = AccountID(leaf.account.rawValue ^ 1)
      #expect(!AccountTree.verify(leaf: leaf.hash, account: neighbour, siblings: siblings, root: tree.root))
      let beyond = AccountID(leaf.account.rawValue + 1 << 24)
      #expect(!AccountTree.verify(leaf: leaf.hash, account: beyond, siblings: siblings, root: tree.root))
      #expect(
        !AccountTree.verify(
          leaf: leaf.hash, account: leaf.account, siblings: Array(siblings.dropLast()), root: tree.root))
    }
  }

  @Test func leavesOutOfOrderOrOutsideTheTreeChangeNothing() {
    var tree = AccountTree()
    let root = tree.root
    let hash = Keccak256.hash([1])
    #expect(!set(&tree, [(AccountID(2), hash), (AccountID(1), hash)]))
    #expect(!set(&tree, [(AccountID(1), hash), (AccountID(1), hash)]))
    #expect(!set(&tree, [(AccountID(1 << 24), hash)]))
    #expect(tree.root == root)
    #expect(tree.proof(of: AccountID(1 << 24)) == nil)
    #expect(tree.leaf(of: AccountID(.max)) == nil)
  }

  @Test func aSnapshotReadsBackToTheSameRoot() throws {
    var tree = AccountTree()
    #expect(set(&tree, (0..<1_000).map { (AccountID($0 * 7), Keccak256.hash([UInt8($0 % 256)])) }))
    let copy = try AccountTree(decoding: tree.encoded)
    #expect(copy.root == tree.root)
    #expect(copy.encoded == tree.encoded)
    #expect(copy.leaf(of: AccountID(7)) == Keccak256.hash([1]))
    #expect(copy.leaf(of: AccountID(8)) == nil)
  }

  @Test func aCopyIsNotTouchedByWhatHappensToItsOriginal() {
    var tree = AccountTree()
    #expect(set(&tree, [(AccountID(5), Keccak256.hash([5]))]))
    let copy = tree
    let root = tree.root
    #expect(set(&tree, [(AccountID(6), Keccak256.hash([6]))]))
    #expect(copy.root == root)
    #expect(tree.root != root)
  }
}
