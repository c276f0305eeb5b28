import Bytes
import Cryptography
import Market

/// What a verifier signs: an EIP-712 digest, so that a word given for one market, contract or epoch is none for
/// another.
///
/// ```
/// domain       EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)
///              name "Novation", version "1"
/// struct       Attestation(uint32 epoch,bytes32 headerHash,bool agrees)
/// digest       Keccak-256(0x19 0x01 ‖ domain separator ‖ struct hash)
/// ```
public struct AttestationDigest: Sendable, Hashable {
  private static let domainType = hash(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
  private static let attestationType = hash("Attestation(uint32 epoch,bytes32 headerHash,bool agrees)")
  private static let name = hash("Novation")
  private static let version = hash("1")

  /// The signing domain's separator.
  public let domainSeparator: Digest

  /// The domain of one market on one settlement layer.
  public init(chainID: UInt64, verifyingContract: Address) {
    domainSeparator = Keccak256.hash(
      Self.domainType.array + Self.name.array + Self.version.array + Self.word(chainID)
        + Array(repeating: 0, count: 12) + verifyingContract.array)
  }
  /// The domain that the market's parameters name.
  public init(_ parameters: MarketParameters) {
    self.init(chainID: parameters.chainID, verifyingContract: parameters.verifyingContract)
  }

  /// The digest to sign.
  public func digest(epoch: Epoch, headerHash: Digest, agrees: Bool) -> Digest {
    let message = Keccak256.hash(
      Self.attestationType.array + Self.word(UInt64(epoch.rawValue)) + headerHash.array + Self.word(agrees ? 1 : 0))
    return Keccak256.hash([0x19, 0x01] + domainSeparator.array + message.array)
  }

  /// A verifier's signed word.
  public func attestation(
    by verifier: UInt16, key: PrivateKey, epoch: Epoch, headerHash: Digest, agrees: Bool
  ) -> Attestation {
    let signature = key.sign(digest(epoch: epoch, headerHash: headerHash, agrees: agrees))
    return Attestation(
      verifier: verifier, epoch: epoch, headerHash: headerHash, agrees: agrees, signature: signature)
  }

  /// Whether the attestation is signed by the verifier of its number.
  public func isSigned(_ attestation: Attestation, by verifiers: [Address]) -> Bool {
    guard Int(attestation.verifier) < verifiers.count else { return false }
    let digest = digest(
      epoch: attestation.epoch, headerHash: attestation.headerHash, agrees: attestation.agrees)
    return Secp256k1.recoverAddress(digest, attestation.signature) == verifiers[Int(attestation.verifier)]
  }

  private static func hash(_ text: String) -> Digest { Keccak256.hash(Array(text.utf8)) }
  /// A 32-byte big-endian word.
  private static func word(_ value: UInt64) -> [UInt8] {
    Array(repeating: 0, count: 24) + (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
  }
}
