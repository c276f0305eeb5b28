import Bytes
import Market

/// The asset and sub-id by which a signed order names a contract.
public enum ContractAddress {
  /// The asset of an underlying's contracts in one settlement: the ASCII bytes of `novation`, the underlying's name
  /// padded to 8 bytes with zeros, three zero bytes, and 1 + the settlement's raw value (1 linear, 2 coin, 3 inverse).
  public static func asset(underlying: String, settlement: Instrument.Settlement) -> Address {
    let name = Array(underlying.utf8.prefix(8))
    return Address(
      Array("novation".utf8) + name + [UInt8](repeating: 0, count: 8 - name.count) + [
        0, 0, 0, 1 + settlement.rawValue,
      ])
  }

  /// The sub-id as a big-endian 256-bit number, in Derive's option encoding: expiry in seconds in bits 0-31, strike in
  /// 1e-8 dollars in bits 32-94, 1 in bit 95 for a call. A future has its expiry alone, a perpetual zero.
  public static func subID(kind: Instrument.Kind, expiry: Timestamp, strike: Price) -> Digest {
    guard kind != .perpetual else { return .zero }
    let seconds = UInt128(UInt32(clamping: expiry.seconds))
    var number = seconds
    if kind.isOption {
      number |= UInt128(UInt64(clamping: strike.units) & (UInt64.max >> 1)) << 32
      if kind == .call { number |= 1 << 95 }
    }
    return Digest([UInt8](repeating: 0, count: 16) + withUnsafeBytes(of: number.bigEndian) { Array($0) })
  }
}
