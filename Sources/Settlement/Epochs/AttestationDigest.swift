import Bytes
import Cryptography
import Market

/// What a verifier signs, in the market's `VenueDomain`.
///
/// ```
/// struct       Attestation(uint32 epoch,bytes32 headerHash,bool agrees)
/// ```
public struct AttestationDigest: Sendable, Hashable {
  private static let type = VenueDomain.hash("Attestation(uint32 epoch,bytes32 headerHash,bool agrees)")

  private let domain: VenueDomain
  /// The signing domain's separator.
  public var domainSeparator: Digest { domain.separator }

  /// The domain of one market on one settlement layer.
  public init(chainID: UInt64, verifyingContract: Address) {
    domain = VenueDomain(chainID: chainID, verifyingContract: verifyingContract)
  }
  /// The domain that the market's parameters name.
  public init(_ parameters: MarketParameters) {
    self.init(chainID: parameters.chainID, verifyingContract: parameters.verifyingContract)
  }

  /// The digest to sign.
  public func digest(epoch: Epoch, headerHash: Digest, agrees: Bool) -> Digest {
    domain.digest(
      type: Self.type,
      fields: VenueDomain.word(UInt64(epoch.rawValue)) + headerHash.array + VenueDomain.word(agrees ? 1 : 0))
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
}
