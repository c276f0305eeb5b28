import Bytes
import Market

/// What a vault is made with and never changes. Layout: chain id u64, contract [20], currencies u8, quorum u16,
/// finality delay u32, u32 count and the verifiers' addresses [20].
public struct VaultRules: ByteCodable, Sendable, Hashable {
  /// The signing domain of attestations.
  public var chainID: UInt64
  public var verifyingContract: Address
  /// Currencies of the market, which deposits and leaves count from 0.
  public var currencies: Int
  /// By verifier number.
  public var verifiers: [Address]
  /// Distinct verifiers that must agree to a post.
  public var quorum: UInt16
  /// An epoch is final once this many epochs are posted on top of it.
  public var finalityDelay: UInt32

  /// The rules of a market's vault.
  public init(_ market: MarketDefinition, finalityDelay: UInt32 = 0) {
    chainID = market.parameters.chainID
    verifyingContract = market.parameters.verifyingContract
    currencies = market.currencies.count
    verifiers = market.parameters.verifiers
    quorum = market.parameters.attestationQuorum
    self.finalityDelay = finalityDelay
  }

  public func write(to writer: inout ByteWriter) {
    writer.u64(chainID)
    verifyingContract.write(to: &writer)
    writer.u8(UInt8(truncatingIfNeeded: currencies))
    writer.u16(quorum)
    writer.u32(finalityDelay)
    writer.u32(UInt32(verifiers.count))
    for verifier in verifiers { verifier.write(to: &writer) }
  }
  public init(from reader: inout ByteReader) {
    chainID = reader.u64()
    verifyingContract = Address(from: &reader)
    currencies = Int(reader.u8())
    quorum = reader.u16()
    finalityDelay = reader.u32()
    verifiers = (0..<reader.itemCount(minimumSize: 20)).map { _ in Address(from: &reader) }
  }
}
