import Market

/// Folds a machine's canonical fields into 64 bits: equal states give equal hashes on any machine. It detects
/// divergence; it is no commitment against an adversary (roots are).
public struct StateHasher: Sendable {
  private var low: UInt64 = 0x9E37_79B9_7F4A_7C15
  private var high: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private var count: UInt64 = 0
  public init() {}

  public mutating func combine(_ value: UInt64) {
    let product = (low ^ value).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93 ^ high)
    low = product.low ^ high
    high = (product.high ^ value) &+ 0x9E37_79B9_7F4A_7C15
    count &+= 1
  }
  public mutating func combine(_ value: Int64) { combine(UInt64(bitPattern: value)) }
  public mutating func combine(_ bytes: UnsafeRawBufferPointer) {
    combine(UInt64(bytes.count))
    var index = 0
    while index + 8 <= bytes.count {
      combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
      index += 8
    }
    var tail: UInt64 = 0
    while index < bytes.count {
      tail = tail << 8 | UInt64(bytes[index])
      index += 1
    }
    combine(tail)
  }

  public var value: UInt64 {
    var copy = self
    copy.combine(count)
    copy.combine(UInt64(0))
    return copy.low ^ copy.high
  }
}
