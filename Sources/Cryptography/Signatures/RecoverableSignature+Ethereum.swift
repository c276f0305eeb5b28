import Bytes

/// The 65 bytes in which Ethereum's tools carry a signature: r ‖ s ‖ v, v being 27 or 28.
extension RecoverableSignature {
  /// `nil` for another length or another v; whether it is canonical is decided when the signer is recovered.
  public init?(ethereum bytes: [UInt8]) {
    guard bytes.count == 65, bytes[64] == 27 || bytes[64] == 28 else { return nil }
    self.init(r: Digest(Array(bytes[..<32])), s: Digest(Array(bytes[32..<64])), recoveryID: bytes[64] - 27)
  }

  /// r ‖ s ‖ v.
  public var ethereum: [UInt8] { r.array + s.array + [recoveryID + 27] }
}
