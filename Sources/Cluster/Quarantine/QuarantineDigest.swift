import Bytes
import Cryptography
import Machine
import Market

/// What the operator's key signs to keep an input from a machine, in the market's `VenueDomain`.
///
/// ```
/// struct       Quarantine(uint32 machine,uint8 kind,uint32 source,uint64 firstNumber,bytes32 digest,uint32 deaths,
///              int64 decided)
/// ```
public struct QuarantineDigest: Sendable {
  private static let type = VenueDomain.hash(
    "Quarantine(uint32 machine,uint8 kind,uint32 source,uint64 firstNumber,bytes32 digest,uint32 deaths,int64 decided)")

  private let domain: VenueDomain
  private let operatorAddress: Address

  /// In the domain, and for the operator, that the market's parameters name.
  public init(_ parameters: MarketParameters) {
    domain = VenueDomain(chainID: parameters.chainID, verifyingContract: parameters.verifyingContract)
    operatorAddress = parameters.operatorAddress
  }

  private func digest(_ quarantine: Quarantine) -> Digest {
    domain.digest(
      type: Self.type,
      fields: VenueDomain.word(UInt64(quarantine.machine.rawValue))
        + VenueDomain.word(UInt64(quarantine.kind.rawValue)) + VenueDomain.word(UInt64(quarantine.source.rawValue))
        + VenueDomain.word(quarantine.firstNumber) + quarantine.digest.array
        + VenueDomain.word(UInt64(quarantine.deaths)) + VenueDomain.word(UInt64(max(0, quarantine.decided.nanoseconds)))
    )
  }

  /// The quarantine, signed by `key`.
  public func signed(_ quarantine: Quarantine, by key: PrivateKey) -> Quarantine {
    var signed = quarantine
    signed.signature = key.sign(digest(quarantine))
    return signed
  }

  /// Whether the market's operator has signed it. A market without an operator has no quarantines.
  public func isSigned(_ quarantine: Quarantine) -> Bool {
    operatorAddress != .zero
      && Secp256k1.recoverAddress(digest(quarantine), quarantine.signature) == operatorAddress
  }

  /// By which an input is known again: SHA-256 of its bytes, of an action without the session that its gateway puts in.
  public static func digest(of kind: InputKind, _ payload: UnsafeRawBufferPointer) -> Digest {
    guard kind == .action, !SignedListing.isMeant(by: payload), payload.count >= SignedActionHeader.byteCount else {
      return SHA256.hash(payload)
    }
    var bytes = [UInt8](payload)
    for place in SignedActionHeader.sessionOffset..<SignedActionHeader.sessionOffset + 16 { bytes[place] = 0 }
    return SHA256.hash(bytes)
  }
}

extension Quarantine {
  /// Whether this is the input that it names.
  public func names(
    _ kind: InputKind, _ payload: UnsafeRawBufferPointer, from source: MachineID, firstNumber: UInt64
  ) -> Bool {
    self.kind == kind && self.source == source && self.firstNumber == firstNumber
      && digest == QuarantineDigest.digest(of: kind, payload)
  }
}
