import Bytes
import Market

/// Addresses that a market uses where its file names none, and those of its contracts: readable ones, which no key
/// and no deployment can have by chance. All begin with the ASCII bytes of `novation`.
enum LocalAddress {
  /// `novation`, 10 zero bytes, two bytes of `number`.
  private static func numbered(_ number: UInt16) -> Address {
    Address(Array("novation".utf8) + [UInt8](repeating: 0, count: 10) + [UInt8(number >> 8), UInt8(number & 255)])
  }

  static let verifyingContract = numbered(0x0100)
  static let tradeModule = numbered(0x0101)
  static let batchModule = numbered(0x0102)
  static let withdrawalModule = numbered(0x0103)
  /// Token of the currency at `index`.
  static func token(_ index: Int) -> Address { numbered(0x0200 + UInt16(truncatingIfNeeded: index)) }
}
