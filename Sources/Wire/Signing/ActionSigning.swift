import Bytes
import Cryptography
import Market

/// Signs and checks actions in one market's domain, in Derive's form (EIP-712):
///
/// ```
/// Action(uint256 subaccountId,uint256 nonce,address module,bytes data,uint256 expiry,address owner,address signer)
/// ```
///
/// What a signature does not cover must either agree with what it does, or be zero, or may be anything:
/// - a trade's instrument is named by its asset and sub-id, which no other instrument may share; the header's
/// underlying
///   is the instrument's; kind is `new` and the type has a limit price. Time in force, flags, trigger, expiry and label
///   travel unsigned, as on Derive;
/// - a batch's operations are covered whole, and its maximum fee is zero;
/// - a withdrawal's currency is named by its token, which no other currency may share; the header's underlying and
///   maximum fee are zero;
/// - key and session are of the venue.
public struct ActionSigning: Sendable {
  /// Hash of the `Action` type's text.
  public static let typeHash = Keccak256.hash(
    Array(
      """
      Action(uint256 subaccountId,uint256 nonce,address module,bytes data,uint256 expiry,address owner,address signer)
      """.utf8))

  public let domain: SigningDomain
  /// The domain's separator, hashed once.
  public let domainSeparator: Digest
  public let decimals: NativeDecimals
  let market: MarketDefinition
  let instruments: InstrumentNames

  /// Signing in `market`, whose parameters hold the chain, the contract and the modules' addresses.
  public init(
    market: MarketDefinition, domainName: String = SigningDomain.defaultName,
    domainVersion: String = SigningDomain.defaultVersion, decimals: NativeDecimals = NativeDecimals()
  ) {
    domain = SigningDomain(market.parameters, name: domainName, version: domainVersion)
    domainSeparator = domain.separator
    self.decimals = decimals
    self.market = market
    instruments = InstrumentNames(market)
  }

  /// What the action's signer signs. For a batch of up to 32 operations it does not allocate.
  public func digest(of action: SignedActionView) throws(SigningError) -> Digest {
    let structHash = structHash(action.header, dataHash: try data(of: action).hash)
    return SigningDomain.digest(separator: domainSeparator, structHash: structHash)
  }

  /// Checks that the header's signer signed the action. Whether that signer may act for the account, and whether the
  /// action has expired, is not asked here.
  public func verify(_ action: SignedActionView) throws(SigningError) {
    let digest = try digest(of: action)
    guard let signer = Secp256k1.recoverAddress(digest, action.header.signature) else { throw .notCanonical }
    guard signer == action.header.signer else {
      throw .otherSigner(recovered: signer, claimed: action.header.signer)
    }
  }

  /// Puts `key`'s address and signature into `header`, over `operations` (64 bytes each).
  public func sign(
    _ header: inout SignedActionHeader, operations: UnsafeRawBufferPointer, with key: PrivateKey
  ) throws(SigningError) {
    header.signer = key.address
    header.signature = key.sign(try digest(of: SignedActionView(header: header, operations: operations)))
  }

  /// Puts `key`'s address and signature into `action`.
  public func sign(_ action: inout SignedAction, with key: PrivateKey) throws(SigningError) {
    var header = action.header
    try action.operations.withUnsafeBufferPointer { operations throws(SigningError) in
      try sign(&header, operations: UnsafeRawBufferPointer(operations), with: key)
    }
    action.header = header
  }

  /// Every stage of the action's hash, and whose its signature is.
  public func stages(of action: SignedActionView) throws(SigningError) -> SigningStages {
    let data = try data(of: action)
    let structHash = structHash(action.header, dataHash: data.hash)
    let digest = SigningDomain.digest(separator: domainSeparator, structHash: structHash)
    return SigningStages(
      encodedData: data.encoded, dataHash: data.hash, structHash: structHash, domainSeparator: domainSeparator,
      digest: digest, recoveredSigner: Secp256k1.recoverAddress(digest, action.header.signature))
  }

  private func structHash(_ header: SignedActionHeader, dataHash: Digest) -> Digest {
    let module =
      switch header.module {
      case .trade: market.parameters.tradeModule
      case .batch: market.parameters.batchModule
      case .withdrawal: market.parameters.withdrawalModule
      }
    return ABIWords.with(words: 8) { words in
      words.digest(Self.typeHash)
      words.unsigned(UInt64(header.account.rawValue))
      words.unsigned(header.nonce)
      words.address(module)
      words.digest(dataHash)
      words.unsigned(header.expiry)
      words.address(header.owner)
      words.address(header.signer)
    } read: {
      Keccak256.hash($0)
    }
  }
}
