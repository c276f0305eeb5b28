import Testing

@testable import Bytes

/// Known answers of RFC 3720, appendix B.4, and of the catalogue's check value.
struct ChecksumTests {
  private func checksum(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { CRC32C.checksum($0) } }

  @Test func knownAnswers() {
    #expect(checksum([]) == 0)
    #expect(checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(checksum([UInt8](0..<32)) == 0x46DD_794E)
    #expect(checksum((0..<32).reversed()) == 0x113F_DB5C)
  }

  @Test func anISCSIReadCommand() {
    let command: [UInt8] = [
      0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
      0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
    ]
    #expect(checksum(command) == 0xD996_3A56)
  }

  /// A bit at a time, as the polynomial says.
  private func plain(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = .max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }
    return ~crc
  }

  @Test func everyLengthAgreesWithTheBitwiseForm() {
    var bytes: [UInt8] = []
    for length in 0..<100 {
      #expect(checksum(bytes) == plain(bytes), "\(length) bytes")
      bytes.append(UInt8(truncatingIfNeeded: length &* 167 &+ 13))
    }
  }

  @Test func aSplitChecksumContinues() {
    let bytes = [UInt8]("numbered streams of journalled inputs".utf8)
    for split in 0...bytes.count {
      let head = checksum(Array(bytes[..<split]))
      let whole = Array(bytes[split...]).withUnsafeBytes { CRC32C.checksum($0, continuing: head) }
      #expect(whole == checksum(bytes), "split at \(split)")
    }
  }

  @Test func theProcessorsInstructionAndTheTablesAgreeAtEveryLengthAndAlignment() {
    let bytes = (1...200).map { UInt8(truncatingIfNeeded: $0 &* 197) }
    bytes.withUnsafeBytes { buffer in
      for length in 0...150 {
        let slice = UnsafeRawBufferPointer(rebasing: buffer[(length % 9)..<(length % 9 + length)])
        let byTables = CRC32C.checksumByTables(slice, continuing: 77)
        #expect(CRC32C.checksum(slice, continuing: 77) == byTables, "length \(length)")
      }
    }
  }

  @Test func everyBitCounts() {
    let bytes = [UInt8](0..<40)
    for bit in 0..<(bytes.count * 8) {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(checksum(flipped) != checksum(bytes))
    }
  }
}
