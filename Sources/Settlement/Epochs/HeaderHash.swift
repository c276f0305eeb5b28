import Bytes
import Cryptography
import Market

extension EpochHeader {
  /// Keccak-256 of the header's 216 bytes: what verifiers attest and the settlement layer remembers.
  public var headerHash: Digest { Keccak256.hash(encoded) }
}
