import Bytes
import Testing

struct ByteWriterTests {
  @Test func whatIsWrittenIsReadBack() {
    var writer = ByteWriter()
    writer.u8(1)
    writer.u16(0x0203)
    writer.u32(0x0405_0607)
    writer.u64(.max - 1)
    writer.i64(.min)
    writer.bool(true)
    writer.bytes([9, 8, 7])
    [UInt8](repeating: 5, count: 6).withUnsafeBytes { writer.blob($0) }
    writer.text("Σ")
    var reader = ByteReader(writer.bytes)
    check(reader.u8(), is: 1)
    check(reader.u16(), is: 0x0203)
    check(reader.u32(), is: 0x0405_0607)
    check(reader.u64(), is: .max - 1)
    check(reader.i64(), is: .min)
    check(reader.bool(), is: true)
    check([UInt8](reader.bytes(3)), is: [9, 8, 7])
    check([UInt8](reader.blob()), is: [5, 5, 5, 5, 5, 5])
    check(reader.text(), is: "Σ")
    #expect(reader.isExhausted)
  }

  @Test func growingKeepsWhatWasWritten() {
    var writer = ByteWriter(capacity: 1)
    for value in 0..<5_000 { writer.u32(UInt32(value)) }
    var reader = ByteReader(writer.bytes)
    check((0..<5_000).allSatisfy { UInt32($0) == reader.u32() }, is: true)
    #expect(reader.isExhausted)
  }

  @Test func aClearedWriterKeepsItsMemory() {
    var writer = ByteWriter(capacity: 64)
    for _ in 0..<100 { writer.u64(1) }
    let before = writer.bytes.baseAddress
    writer.clear()
    #expect(writer.count == 0)
    for _ in 0..<100 { writer.u64(2) }
    #expect(writer.bytes.baseAddress == before)
  }

  @Test func truncateAndPatchTouchNothingElse() {
    var writer = ByteWriter()
    writer.u32(0)
    writer.bytes([1, 2, 3, 4])
    writer.truncate(to: 6)
    writer.patch(UInt32(0x0A0B_0C0D), at: 0)
    #expect(writer.array == [0x0D, 0x0C, 0x0B, 0x0A, 1, 2])
  }

  @Test func patchingOutsideTraps() async {
    await #expect(processExitsWith: .failure) {
      var writer = ByteWriter()
      writer.u32(0)
      writer.patch(UInt16(1), at: 3)
    }
  }

  @Test func decodingTakesExactlyTheBytes() throws {
    let digest = Digest([UInt8](0..<32))
    #expect(try Digest(decoding: digest.encoded) == digest)
    #expect(throws: MalformedBytes(expected: "Digest")) { try Digest(decoding: digest.encoded + [0]) }
    #expect(throws: MalformedBytes(expected: "Digest")) { try Digest(decoding: digest.encoded.dropLast()) }
    #expect(MalformedBytes(expected: "Digest").description == "malformed bytes: expected Digest")
  }
}
