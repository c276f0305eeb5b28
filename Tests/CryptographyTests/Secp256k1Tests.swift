import Bytes
import Cryptography
import Testing

@Suite struct Secp256k1Tests {
  private static let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
  private static let halfOrder = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"

  private var one: PrivateKey { PrivateKey(hexadecimal: String(repeating: "0", count: 63) + "1")! }

  @Test func theKeyOneHasItsKnownAddress() {
    #expect(one.address == Address(hexadecimal: "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"))
  }

  @Test func signingIsTheDeterministicOneOfRFC6979() {
    let signature = one.sign(SHA256.hash(Array("Satoshi Nakamoto".utf8)))
    #expect(
      signature.r == Digest(hexadecimal: "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"))
    #expect(
      signature.s == Digest(hexadecimal: "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"))
  }

  @Test func everySignatureRecoversItsSigner() {
    for index in UInt8(0)..<40 {
      let key = PrivateKey.generate()
      let digest = Keccak256.hash([index])
      let signature = key.sign(digest)
      #expect(signature == key.sign(digest))
      #expect(Secp256k1.recoverAddress(digest, signature) == key.address)
      #expect(Secp256k1.recoverAddress(digest.flipping(Int(index)), signature) != key.address)
      #expect(RecoverableSignature(ethereum: signature.ethereum) == signature)
    }
  }

  @Test func theTwinWithHighSIsRefused() {
    for index in UInt8(0)..<20 {
      let digest = Keccak256.hash([index])
      let signature = one.sign(digest)
      var twin = signature
      twin.s = Self.subtract(signature.s, from: Digest(hexadecimal: Self.order)!)
      twin.recoveryID ^= 1
      #expect(Secp256k1.recoverAddress(digest, twin) == nil)
    }
  }

  @Test func theLargestLowSIsAllowedAndTheNextIsNot() {
    let digest = Keccak256.hash([7])
    var signature = one.sign(digest)
    signature.s = Digest(hexadecimal: Self.halfOrder)!
    #expect(Secp256k1.recoverAddress(digest, signature) != nil)
    signature.s = Digest(Array(signature.s.array.dropLast()) + [0xA1])
    #expect(Secp256k1.recoverAddress(digest, signature) == nil)
  }

  @Test func numbersOutOfRangeAreRefused() {
    let digest = Keccak256.hash([9])
    let valid = one.sign(digest)
    let order = Digest(hexadecimal: Self.order)!
    let all = Digest([UInt8](repeating: 0xFF, count: 32))
    for bad in [Digest.zero, order, all] {
      var signature = valid
      signature.r = bad
      #expect(Secp256k1.recoverAddress(digest, signature) == nil)
      signature = valid
      signature.s = bad
      #expect(Secp256k1.recoverAddress(digest, signature) == nil)
    }
    for id in UInt8(2)...255 {
      var signature = valid
      signature.recoveryID = id
      #expect(Secp256k1.recoverAddress(digest, signature) == nil)
    }
  }

  @Test func noInputTrapsRecovery() {
    for round in UInt16(0)..<500 {
      let seed = Keccak256.hash([UInt8(round & 255), UInt8(round >> 8)])
      let signature = RecoverableSignature(
        r: Keccak256.hash(seed, .zero), s: Keccak256.hash(.zero, seed), recoveryID: UInt8(round % 5))
      _ = Secp256k1.recoverAddress(seed, signature)
    }
  }

  @Test func onlyScalarsOfTheGroupAreKeys() {
    #expect(PrivateKey(Digest.zero) == nil)
    #expect(PrivateKey(hexadecimal: Self.order) == nil)
    #expect(PrivateKey([UInt8](repeating: 1, count: 31)) == nil)
    #expect(PrivateKey([UInt8](repeating: 1, count: 33)) == nil)
    #expect(PrivateKey(hexadecimal: Self.halfOrder) != nil)
  }

  @Test func aKeysTextKeepsItsSecret() {
    let key = PrivateKey.generate()
    let secret = Hexadecimal.encode(key.secret.array)
    var dumped = ""
    dump(key, to: &dumped)
    for text in ["\(key)", String(reflecting: key), dumped] {
      #expect(!text.contains(secret) && !text.contains("\(key.secret.words.0)"))
    }
  }

  @Test func generatedKeysDiffer() {
    #expect(Set((0..<50).map { _ in PrivateKey.generate().address }).count == 50)
  }

  @Test func threadsShareOneContext() async {
    await withTaskGroup(of: Bool.self) { group in
      for index in UInt8(0)..<8 {
        group.addTask {
          let key = PrivateKey.generate()
          return (0..<20).allSatisfy { round in
            let digest = Keccak256.hash([index, UInt8(round)])
            return Secp256k1.recoverAddress(digest, key.sign(digest)) == key.address
          }
        }
      }
      for await agreed in group { #expect(agreed) }
    }
  }

  private static func subtract(_ small: Digest, from large: Digest) -> Digest {
    var borrow = 0
    let bytes = zip(large.array, small.array).reversed().map { pair -> UInt8 in
      let difference = Int(pair.0) - Int(pair.1) - borrow
      borrow = difference < 0 ? 1 : 0
      return UInt8(truncatingIfNeeded: difference)
    }
    return Digest(bytes.reversed())
  }
}
