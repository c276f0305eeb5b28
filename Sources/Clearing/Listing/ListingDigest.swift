import Bytes
import Cryptography
import Market

/// What the operator signs to list an instrument, in the market's `VenueDomain`.
///
/// ```
/// struct       Listing(bytes32 instrument,uint64 nonce)
/// instrument   Keccak-256 of the instrument's layout
/// ```
public struct ListingDigest: Sendable, Hashable {
  private static let type = VenueDomain.hash("Listing(bytes32 instrument,uint64 nonce)")

  private let domain: VenueDomain
  private let operatorAddress: Address

  /// In the domain, and for the operator, that the market's parameters name.
  public init(_ parameters: MarketParameters) {
    domain = VenueDomain(chainID: parameters.chainID, verifyingContract: parameters.verifyingContract)
    operatorAddress = parameters.operatorAddress
  }

  /// The digest to sign.
  public func digest(_ instrument: Instrument, nonce: UInt64) -> Digest {
    domain.digest(
      type: Self.type, fields: Keccak256.hash(instrument.encoded).array + VenueDomain.word(nonce))
  }

  /// The listing, signed by `key`.
  public func listing(_ instrument: Instrument, nonce: UInt64, key: PrivateKey) -> SignedListing {
    SignedListing(instrument: instrument, nonce: nonce, signature: key.sign(digest(instrument, nonce: nonce)))
  }

  /// Why the listing is not the operator's: `badSignature` if nobody's key is recovered, `notAuthorised` if another's,
  /// or if the market has no operator. `nil` when all is well.
  public func refusal(of listing: SignedListing) -> Outcome? {
    guard operatorAddress != .zero else { return .notAuthorised }
    let digest = digest(listing.instrument, nonce: listing.nonce)
    guard let signer = Secp256k1.recoverAddress(digest, listing.signature) else { return .badSignature }
    return signer == operatorAddress ? nil : .notAuthorised
  }
}
