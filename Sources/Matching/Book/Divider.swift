/// Divides by one size for ever, with a multiplication instead (Granlund & Montgomery 1994).
struct Divider: BitwiseCopyable {
  let size: Int64
  private let multiplier: UInt64
  private let shift: UInt64

  /// `size` is positive.
  init(_ size: Int64) {
    self.size = size
    if size == 1 {
      multiplier = 0
      shift = 0
      return
    }
    let bits = UInt64(Int64.bitWidth - (size - 1).leadingZeroBitCount - 1)
    shift = bits
    let (quotient, remainder) = UInt64(size).dividingFullWidth((high: 1 << bits, low: 0))
    multiplier = remainder == 0 ? quotient : quotient + 1
  }

  /// ⌊units / size⌋ for `units` ≥ 0.
  @inline(__always) func quotient(_ units: Int64) -> Int64 {
    if multiplier == 0 { return units }
    return Int64(bitPattern: UInt64(bitPattern: units).multipliedFullWidth(by: multiplier).high &>> shift)
  }
}
