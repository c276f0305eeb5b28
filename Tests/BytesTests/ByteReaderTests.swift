import Bytes
import Testing

/// Hostile bytes: nothing is read outside them, and one question at the end tells whether all was there.
struct ByteReaderTests {
  /// Runs `body` over a reader of `bytes` that lie between other bytes, which no read may ever give.
  private func reading<R>(_ bytes: [UInt8], _ body: (inout ByteReader) -> R) -> R {
    let fence = [UInt8](repeating: 0xEE, count: 64)
    return (fence + bytes + fence).withUnsafeBytes { all in
      var reader = ByteReader(UnsafeRawBufferPointer(rebasing: all[64..<(64 + bytes.count)]))
      return body(&reader)
    }
  }

  @Test func integersAreLittleEndian() {
    let bytes: [UInt8] = [
      0x01, 0x02, 0x01, 0x04, 0x03, 0x02, 0x01, 8, 7, 6, 5, 4, 3, 2, 1, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    ]
    reading(bytes) { reader in
      check(reader.u8(), is: 1)
      check(reader.u16(), is: 0x0102)
      check(reader.u32(), is: 0x0102_0304)
      check(reader.u64(), is: 0x0102_0304_0506_0708)
      check(reader.i64(), is: -2)
      #expect(reader.isExhausted)
    }
  }

  @Test func aReadPastTheEndGivesZeroAndFailsForGood() {
    reading([1, 2, 3]) { reader in
      check(reader.u32(), is: 0)
      #expect(reader.hasFailed)
      check(reader.u8(), is: 0, "what is left is not handed out after a failure")
      #expect(!reader.isExhausted)
      #expect(reader.offset == 0)
    }
  }

  @Test func everyReadStopsAtTheEnd() {
    let reads: [(Int, (inout ByteReader) -> Void)] = [
      (1, { _ = $0.u8() }), (2, { _ = $0.u16() }), (4, { _ = $0.u32() }), (8, { _ = $0.u64() }), (8, { _ = $0.i64() }),
      (1, { _ = $0.bool() }), (5, { _ = $0.bytes(5) }), (32, { _ = Digest(from: &$0) }),
      (20, { _ = Address(from: &$0) }),
    ]
    for (size, read) in reads {
      for count in 0...size {
        reading([UInt8](repeating: 0, count: count)) { reader in
          read(&reader)
          #expect(reader.hasFailed == (count < size), "\(count) of \(size) bytes")
          #expect(reader.isExhausted == (count == size))
        }
      }
    }
  }

  @Test func bytesLieWithinTheInput() {
    reading([1, 2, 3, 4]) { reader in
      check(reader.bytes(0).isEmpty, is: true)
      #expect(!reader.hasFailed)
      check([UInt8](reader.bytes(3)), is: [1, 2, 3])
      #expect(reader.remaining == 1)
      check(reader.bytes(2).isEmpty, is: true)
      #expect(reader.hasFailed)
    }
    for count in [-1, Int.min, Int.max, 5] {
      reading([1, 2, 3, 4]) { reader in
        check(reader.bytes(count).isEmpty, is: true)
        #expect(reader.hasFailed, "\(count) bytes")
      }
    }
  }

  @Test func noBytesAtAllAreReadable() {
    var reader = ByteReader(UnsafeRawBufferPointer(start: nil, count: 0))
    #expect(reader.isExhausted)
    check(reader.bytes(0).isEmpty, is: true)
    #expect(!reader.hasFailed)
    check(reader.u64(), is: 0)
    #expect(reader.hasFailed)
  }

  @Test func boolIsZeroOrOne() {
    for byte in UInt8.min...UInt8.max {
      reading([byte]) { reader in
        check(reader.bool(), is: byte == 1)
        #expect(reader.hasFailed == (byte > 1))
      }
    }
  }

  private enum Colour: UInt16 {
    case red = 7
    case green = 300
  }

  @Test func anUnknownEnumerationValueFails() {
    reading([0x2C, 0x01, 8, 0]) { reader in
      check(reader.enumeration(Colour.self, otherwise: .red), is: .green)
      #expect(!reader.hasFailed)
      check(reader.enumeration(Colour.self, otherwise: .red), is: .red)
      #expect(reader.hasFailed)
    }
  }

  @Test func blobsAndTextsCarryTheirLength() {
    reading([2, 0, 0, 0, 9, 8, 3, 0] + Array("tö".utf8)) { reader in
      check([UInt8](reader.blob()), is: [9, 8])
      check(reader.text(), is: "tö")
      #expect(reader.isExhausted)
    }
  }

  @Test func aForgedLengthIsRefused() {
    for length: [UInt8] in [[3, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0x80]] {
      reading(length + [1, 2]) { reader in
        check(reader.blob().isEmpty, is: true)
        #expect(reader.hasFailed)
      }
    }
    reading([3, 0, 1, 2]) { reader in
      check(reader.text(), is: "")
      #expect(reader.hasFailed)
    }
  }

  @Test(arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] as [[UInt8]])
  func textThatIsNotUTF8IsRefused(_ text: [UInt8]) {
    reading([UInt8(text.count), 0] + text) { reader in
      check(reader.text(), is: "")
      #expect(reader.hasFailed)
    }
  }

  @Test func aCountThatCannotFitReservesNothing() {
    func count(_ announced: UInt32, minimumSize: Int, behind: Int) -> Int? {
      let length = withUnsafeBytes(of: announced.littleEndian) { [UInt8]($0) }
      return reading(length + [UInt8](repeating: 0, count: behind)) { reader in
        let items = reader.itemCount(minimumSize: minimumSize)
        return reader.hasFailed ? nil : items
      }
    }
    #expect(count(3, minimumSize: 12, behind: 36) == 3)
    #expect(count(3, minimumSize: 12, behind: 35) == nil)
    #expect(count(.max, minimumSize: 1, behind: 1_000) == nil)
    #expect(count(.max, minimumSize: 0, behind: 1_000) == nil, "items of no size are still bounded")
    #expect(count(0, minimumSize: 12, behind: 0) == 0)
    reading([1, 0]) { reader in
      check(reader.itemCount(minimumSize: 1), is: 0)
      #expect(reader.hasFailed)
    }
  }

  @Test func aRefusedValueFailsTheReader() {
    reading([1]) { reader in
      _ = reader.u8()
      reader.fail()
      #expect(!reader.isExhausted)
    }
  }
}
