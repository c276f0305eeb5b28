import Bytes

/// The EIP-712 domain of what verifiers and operators sign, so that a word given for one market or contract is none for
/// another.
///
/// ```
/// domain       EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)
///              name "Novation", version "1"
/// digest       Keccak-256(0x19 0x01 ‖ domain separator ‖ struct hash)
/// struct hash  Keccak-256(Keccak-256(type) ‖ a 32-byte word a field)
/// ```
public struct VenueDomain: Sendable, Hashable {
  private static let type = hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
  private static let name = hash("Novation")
  private static let version = hash("1")

  public let separator: Digest

  public init(chainID: UInt64, verifyingContract: Address) {
    separator = Keccak256.hash(
      Self.type.array + Self.name.array + Self.version.array + Self.word(chainID)
        + Array(repeating: 0, count: 12) + verifyingContract.array)
  }

  /// What is signed for a struct of a type with these fields.
  ///
  /// - Parameter fields: the fields' words, 32 bytes each.
  public func digest(type: Digest, fields: [UInt8]) -> Digest {
    let message = Keccak256.hash(type.array + fields)
    return Keccak256.hash([0x19, 0x01] + separator.array + message.array)
  }

  /// The hash of a type's text.
  public static func hash(_ text: String) -> Digest { Keccak256.hash(Array(text.utf8)) }
  /// A 32-byte big-endian word.
  public static func word(_ value: UInt64) -> [UInt8] {
    Array(repeating: 0, count: 24) + (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
  }
}
