import Bytes
import Testing

@testable import Cryptography

struct MerkleBlocksTests {
  private static func blocks(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
    var value = UInt64(seed)
    return (0..<(count * 64)).map { _ in
      value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: value >> 56)
    }
  }

  @Test func theRootOverBlocksIsTheTreesRoot() {
    for count in Array(1...70) + [127, 128, 129, 255, 256] {
      let blocks = Self.blocks(count, seed: UInt8(count % 251))
      let leaves = (0..<count).map { RFC6962Keccak.leaf(Array(blocks[($0 * 64)..<($0 * 64 + 64)])) }
      let root = blocks.withUnsafeBytes { MerkleTree<RFC6962Keccak>.root(blocks: $0) }
      #expect(root == MerkleTree<RFC6962Keccak>.root(leaves), "\(count) leaves")
    }
  }

  @Test(arguments: [1, 31, 69, 133, 134]) func leavesOfAnySizeThatFitsABlockHashAsTheyDoAlone(size: Int) {
    for count in [1, 2, 7, 8, 9, 64, 100] {
      let bytes = Array(Self.blocks(count * 3, seed: UInt8(size)).prefix(count * size))
      let leaves = (0..<count).map { RFC6962Keccak.leaf(Array(bytes[($0 * size)..<(($0 + 1) * size)])) }
      let root = bytes.withUnsafeBytes { MerkleTree<RFC6962Keccak>.root(blocks: $0, of: size) }
      #expect(root == MerkleTree<RFC6962Keccak>.root(leaves), "\(count) leaves of \(size) bytes")
    }
  }

  @Test func everyBitOfEveryBlockCounts() {
    let blocks = Self.blocks(9)
    let root = blocks.withUnsafeBytes { MerkleTree<RFC6962Keccak>.root(blocks: $0) }
    for place in stride(from: 0, to: blocks.count, by: 7) {
      var changed = blocks
      changed[place] ^= 1 << UInt8(place % 8)
      #expect(changed.withUnsafeBytes { MerkleTree<RFC6962Keccak>.root(blocks: $0) } != root)
    }
  }

  @Test func noBlocksHaveTheEmptyRoot() {
    #expect(
      MerkleTree<RFC6962Keccak>.root(blocks: UnsafeRawBufferPointer(start: nil, count: 0)) == RFC6962Keccak.emptyRoot)
  }
}
