import Bytes
import Testing

struct HexadecimalTests {
  @Test func bytesBecomeLowerCaseDigitsAndBack() {
    let bytes = [UInt8](0...255)
    let text = Hexadecimal.encode(bytes)
    #expect(text.count == 512 && text == text.lowercased())
    #expect(Hexadecimal.decode(text) == bytes)
    #expect(Hexadecimal.decode("0x" + text.uppercased()) == bytes)
    #expect(Hexadecimal.encode([]) == "")
    #expect(Hexadecimal.decode("") == [])
    #expect(Hexadecimal.decode("0x") == [])
  }

  @Test(arguments: ["0", "0x0", "abc", "0g", " 00", "00 ", "0X00", "-1", "0x0x00", "é0", "00\u{301}"])
  func anythingElseIsRefused(_ text: String) {
    #expect(Hexadecimal.decode(text) == nil)
  }
}

struct FixedBytesTests {
  private let bytes = [UInt8](1...32)

  @Test func aDigestKeepsItsBytesInOrder() throws {
    let digest = Digest(bytes)
    #expect(digest.array == bytes && digest.encoded == bytes)
    #expect(digest.withBytes { [UInt8]($0) } == bytes)
    #expect(digest.description == "0x" + Hexadecimal.encode(bytes))
    #expect(Digest(hexadecimal: digest.description) == digest)
    #expect(try Digest(decoding: bytes) == digest)
    #expect(Digest.zero.array == [UInt8](repeating: 0, count: 32))
  }

  @Test func anAddressKeepsItsBytesInOrder() throws {
    let address = Address(Array(bytes[..<20]))
    #expect(address.array == Array(bytes[..<20]) && address.encoded == address.array)
    #expect(Address(hexadecimal: address.description) == address)
    #expect(try Address(decoding: address.encoded) == address)
    #expect(Address.zero.array == [UInt8](repeating: 0, count: 20))
  }

  @Test func everyByteTellsValuesApart() {
    for index in 0..<32 {
      var other = bytes
      other[index] ^= 0x80
      #expect(Digest(other) != Digest(bytes), "byte \(index)")
      if index < 20 { #expect(Address(Array(other[..<20])) != Address(Array(bytes[..<20])), "byte \(index)") }
    }
    #expect(Set([Digest(bytes), Digest(bytes), .zero]).count == 2)
  }

  @Test func anotherLengthIsNoDigestAndNoAddress() {
    for length in [0, 19, 21, 31, 33] {
      let text = Hexadecimal.encode([UInt8](repeating: 7, count: length))
      #expect(Digest(hexadecimal: text) == nil)
      #expect(Address(hexadecimal: text) == nil)
    }
    #expect(Digest(hexadecimal: "0x" + String(repeating: "z", count: 64)) == nil)
  }
}
