import Bytes
import Cryptography
import Testing

/// RFC 6962, section 2.1, as written there.
private func definedRoot(_ leaves: ArraySlice<[UInt8]>, _ hash: ([UInt8]) -> Digest) -> Digest {
  guard let first = leaves.first else { return hash([]) }
  if leaves.count == 1 { return hash([0] + first) }
  var split = 1
  while split * 2 < leaves.count { split *= 2 }
  let middle = leaves.startIndex + split
  return hash([1] + definedRoot(leaves[..<middle], hash).array + definedRoot(leaves[middle...], hash).array)
}

private func leafBytes(_ count: Int) -> [[UInt8]] {
  (0..<count).map { [UInt8](repeating: UInt8($0), count: $0 % 67) }
}

@Suite struct MerkleTests {
  @Test func rootsAreThoseOfCertificateTransparency() {
    let leaves = [
      "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ].map { RFC6962SHA256.leaf(Hexadecimal.decode($0)!) }
    let roots = [
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
    for count in 0...8 {
      #expect(MerkleTree<RFC6962SHA256>.root(Array(leaves[..<count])) == Digest(hexadecimal: roots[count]))
    }
  }

  @Test func everySizeHasTheRootOfTheDefinition() {
    check(RFC6962SHA256.self) { SHA256.hash($0) }
    check(RFC6962Keccak.self) { Keccak256.hash($0) }
  }

  private func check<H: MerkleHash>(_ kind: H.Type, _ hash: ([UInt8]) -> Digest) {
    var frontier = MerkleFrontier<H>()
    let bytes = leafBytes(70)
    let leaves = bytes.map { H.leaf($0) }
    for count in 0...70 {
      let expected = definedRoot(bytes[..<count], hash)
      #expect(MerkleTree<H>.root(Array(leaves[..<count])) == expected, "\(kind) of \(count)")
      #expect(frontier.root == expected && frontier.count == UInt64(count), "frontier \(kind) of \(count)")
      if count < 70 { frontier.append(leaves[count]) }
    }
  }

  @Test func everyProofShowsItsLeafAndNoOther() {
    typealias Tree = MerkleTree<RFC6962Keccak>
    let all = leafBytes(70).map { RFC6962Keccak.leaf($0) }
    for count in 1...70 {
      let leaves = Array(all[..<count])
      let root = Tree.root(leaves)
      for index in 0..<count {
        let proof = Tree.proof(of: index, in: leaves)
        let shows = { (leaf: Digest, index: Int, count: Int, proof: [Digest], root: Digest) in
          Tree.verify(leaf: leaf, index: index, count: count, proof: proof, root: root)
        }
        #expect(shows(leaves[index], index, count, proof, root))
        #expect(!shows(all[(index + 1) % 70], index, count, proof, root))
        #expect(!shows(leaves[index], index, count, proof, all[0]) || count == 1)
        #expect(!shows(leaves[index], index, count, proof + [root], root))
        #expect(!shows(leaves[index], count, count, proof, root))
        #expect(!shows(leaves[index], -1, count, proof, root))
        if !proof.isEmpty { #expect(!shows(leaves[index], index, count, proof.dropLast(), root)) }
        for other in 0..<count where other != index { #expect(!shows(leaves[index], other, count, proof, root)) }
      }
    }
  }

  @Test(arguments: [1, 2, 3, 5, 8, 11, 33])
  func aFlippedBitAnywhereProvesNothing(count: Int) {
    typealias Tree = MerkleTree<RFC6962SHA256>
    let leaves = leafBytes(count).map { RFC6962SHA256.leaf($0) }
    let root = Tree.root(leaves)
    for index in stride(from: 0, to: count, by: count > 11 ? 4 : 1) {
      let proof = Tree.proof(of: index, in: leaves)
      for bit in 0..<256 {
        for place in proof.indices {
          var forged = proof
          forged[place] = forged[place].flipping(bit)
          #expect(!Tree.verify(leaf: leaves[index], index: index, count: count, proof: forged, root: root))
        }
        let leaf = leaves[index].flipping(bit)
        #expect(!Tree.verify(leaf: leaf, index: index, count: count, proof: proof, root: root))
        #expect(
          !Tree.verify(leaf: leaves[index], index: index, count: count, proof: proof, root: root.flipping(bit)))
      }
    }
  }

  @Test func aFrontierGrowsOnFromItsBytes() throws {
    typealias Frontier = MerkleFrontier<RFC6962SHA256>
    var whole = Frontier()
    for index in 0..<70 {
      var resumed = try Frontier(decoding: whole.encoded)
      #expect(resumed == whole)
      #expect(whole.encoded.count == 8 + 32 * index.nonzeroBitCount)
      whole.append(RFC6962SHA256.leaf([UInt8(index)]))
      resumed.append(RFC6962SHA256.leaf([UInt8(index)]))
      #expect(resumed == whole && resumed.root == whole.root)
    }
    #expect(throws: MalformedBytes.self) { try Frontier(decoding: Array(whole.encoded.dropLast())) }
    #expect(throws: MalformedBytes.self) { try Frontier(decoding: whole.encoded + [0]) }
    let full = [UInt8](repeating: 0xFF, count: 8 + 64 * 32)
    #expect(throws: MalformedBytes.self) { try Frontier(decoding: full) }
  }
}

extension Digest {
  /// This digest with one of its 256 bits inverted.
  func flipping(_ bit: Int) -> Digest {
    var bytes = array
    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    return Digest(bytes)
  }
}
