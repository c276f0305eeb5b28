import Bytes
import Cryptography
import Testing

@Suite struct HashTests {
  @Test(arguments: [
    ("", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    ("abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
  ])
  func keccakIsEthereums(text: String, expected: String) {
    #expect(Keccak256.hash(Array(text.utf8)) == Digest(hexadecimal: expected))
  }

  @Test func keccakAgreesWithTheTextbookAtEveryLengthAndAlignment() {
    let bytes = (0..<420).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 3) }
    bytes.withUnsafeBytes { buffer in
      for length in 0...410 {
        let start = length % 8
        let slice = UnsafeRawBufferPointer(rebasing: buffer[start..<(start + length)])
        #expect(Keccak256.hash(slice).array == TextbookKeccak.hash(Array(slice)), "length \(length)")
      }
    }
  }

  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func sha256GivesTheStandardsExamples(text: String, expected: String) {
    #expect(SHA256.hash(Array(text.utf8)) == Digest(hexadecimal: expected))
  }

  @Test func sha256OfAMillionLetters() {
    let letters = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    #expect(SHA256.hash(letters) == Digest(hexadecimal: expected))
  }

  @Test func twoDigestsHashAsTheirBytesInARow() {
    let a = Keccak256.hash([1])
    let b = SHA256.hash([2])
    #expect(Keccak256.hash(a, b) == Keccak256.hash(a.array + b.array))
    #expect(SHA256.hash(a, b) == SHA256.hash(a.array + b.array))
    #expect(Keccak256.hash(a, b) != Keccak256.hash(b, a))
  }
}
