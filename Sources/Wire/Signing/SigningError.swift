import Bytes
import Market

/// Why an action cannot be signed, or is not signed by whom it says.
public enum SigningError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A field that the signature covers, or that must agree with it, has a value that is not allowed.
  case field(name: String, value: String, rule: String)
  /// No key can be recovered: r or s out of range, s above half the order, or a recovery id other than 0 and 1.
  case notCanonical
  /// The signature is of another key, or of another message: compare the stages of the hash.
  case otherSigner(recovered: Address, claimed: Address)

  public var description: String {
    switch self {
    case .field(let name, let value, let rule): "\(name): \(value): \(rule)"
    case .notCanonical: "signature: not canonical: r and s must be in range, s at most half the order, v 27 or 28"
    case .otherSigner(let recovered, let claimed):
      "signature: recovers \(recovered), but the signer is \(claimed): another key, or a hash that differs"
    }
  }

  /// The code that a client gets.
  public var outcome: Outcome {
    switch self {
    case .field: .malformed
    case .notCanonical, .otherSigner: .badSignature
    }
  }
}
