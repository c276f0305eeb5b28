import CCRC32C

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), eight bytes a step: by the processor's own instruction where
/// it has one, else by tables.
public enum CRC32C {
  private static let isAccelerated = novation_crc32c_is_accelerated() != 0

  /// Eight tables of 256: table k advances a byte by k more zero bytes.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var value = UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
      tables[byte] = value
    }
    for table in 1..<8 {
      for byte in 0..<256 {
        let previous = tables[(table - 1) * 256 + byte]
        tables[table * 256 + byte] = previous >> 8 ^ tables[Int(previous & 255)]
      }
    }
    return tables
  }()

  /// The checksum of `bytes`, continuing from an earlier checksum if given.
  public static func checksum(_ bytes: UnsafeRawBufferPointer, continuing seed: UInt32 = 0) -> UInt32 {
    if isAccelerated {
      return novation_crc32c(seed, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
    }
    return checksumByTables(bytes, continuing: seed)
  }

  /// The same without the instruction.
  static func checksumByTables(_ bytes: UnsafeRawBufferPointer, continuing seed: UInt32 = 0) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      var crc = ~seed
      var index = 0
      while index + 8 <= bytes.count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ UInt64(crc)
        crc = 0
        for lane in 0..<8 { crc ^= tables[(7 - lane) * 256 + Int(word >> UInt64(8 * lane) & 255)] }
        index += 8
      }
      while index < bytes.count {
        crc = crc >> 8 ^ tables[Int((crc ^ UInt32(bytes[index])) & 255)]
        index += 1
      }
      return ~crc
    }
  }
}
