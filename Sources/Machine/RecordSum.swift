/// Hashes records that have no canonical order: each by itself, then summed, so that neither slots nor tables show.
public struct RecordSum: Sendable {
  public private(set) var value: UInt64 = 0
  private var record: UInt64 = 0

  public init() {}
  public mutating func begin() { record = 0x9E37_79B9_7F4A_7C15 }
  public mutating func combine(_ a: UInt64, _ b: UInt64) {
    let product = (record ^ a).multipliedFullWidth(by: b ^ 0xD6E8_FEB8_6659_FD93)
    record = (product.high ^ product.low) &+ a &* 0xA076_1D64_78BD_642F
  }
  public mutating func combine(_ a: Int64, _ b: Int64) { combine(UInt64(bitPattern: a), UInt64(bitPattern: b)) }
  public mutating func end() {
    combine(0 as UInt64, 0)
    value &+= record
  }
}
