import Bytes
import Cryptography
import Market

/// Novation's batch data, many operations under one signature: `abi.encode(uint256 underlying, uint256 count,
/// bytes32 root)`, the root being that of the Merkle tree (RFC 6962 with Keccak-256) over the operations' 64 bytes
/// each.
public struct BatchData: Sendable, Hashable, ModuleData {
  static let wordCount = 3
  /// Bytes of the encoding.
  public static let byteCount = wordCount * ABIWords.wordBytes

  public let underlying: UnderlyingID
  public let count: UInt16
  public let root: Digest

  /// The data of an action's operations; up to 32 of them without allocating.
  public init(_ action: SignedActionView) {
    underlying = action.header.underlying
    count = action.header.operationCount
    root = MerkleTree<RFC6962Keccak>.root(blocks: action.operations)
  }

  /// The ABI encoding.
  public var encoded: [UInt8] { abiEncoding }

  func write(to words: inout ABIWords) {
    words.unsigned(UInt64(underlying.rawValue))
    words.unsigned(UInt64(count))
    words.digest(root)
  }
}
