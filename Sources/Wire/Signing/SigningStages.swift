import Bytes

/// Every stage of an action's hash, so that a client whose signature is refused can see where its own differs.
public struct SigningStages: Sendable, Hashable, CustomStringConvertible {
  /// The module's data, ABI-encoded.
  public let encodedData: [UInt8]
  /// keccak(encoded data).
  public let dataHash: Digest
  /// keccak(`Action` type hash ‖ its fields).
  public let structHash: Digest
  /// Of the domain: name, version, chain, contract.
  public let domainSeparator: Digest
  /// keccak(0x1901 ‖ domain separator ‖ struct hash): what is signed.
  public let digest: Digest
  /// Whose the signature is, if it is canonical.
  public let recoveredSigner: Address?

  public var description: String {
    """
    encoded data      0x\(Hexadecimal.encode(encodedData))
    data hash         \(dataHash)
    struct hash       \(structHash)
    domain separator  \(domainSeparator)
    digest            \(digest)
    recovered signer  \(recoveredSigner.map { "\($0)" } ?? "none: the signature is not canonical")
    """
  }
}
