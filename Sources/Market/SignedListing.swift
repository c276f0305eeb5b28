import Bytes

/// The operator's word that an instrument is to be listed, as risk journals it among its actions: 80 bytes and the
/// instrument's layout. Little-endian. The first byte is none of the modules of a `SignedActionHeader`.
///
/// ```
///  0 mark u8 (3) │ 1 recovery id u8 │ 2 zero [6] │ 8 nonce u64 │ 16 r [32] │ 48 s [32] │ 80 instrument
/// ```
public struct SignedListing: ByteCodable, Sendable, Hashable {
  /// First byte of the layout, which tells it from a `SignedAction`.
  public static let mark: UInt8 = 3

  public var instrument: Instrument
  /// Names the listing; each must be above the one before it.
  public var nonce: UInt64
  /// Of `MarketParameters.operatorAddress`.
  public var signature: RecoverableSignature

  public init(instrument: Instrument, nonce: UInt64, signature: RecoverableSignature) {
    self.instrument = instrument
    self.nonce = nonce
    self.signature = signature
  }

  /// Whether an action's bytes are meant as a listing.
  public static func isMeant(by action: UnsafeRawBufferPointer) -> Bool { action.first == mark }

  public func write(to writer: inout ByteWriter) {
    writer.u8(Self.mark)
    writer.u8(signature.recoveryID)
    writer.bytes([0, 0, 0, 0, 0, 0])
    writer.u64(nonce)
    signature.r.write(to: &writer)
    signature.s.write(to: &writer)
    instrument.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    if reader.u8() != Self.mark { reader.fail() }
    let recoveryID = reader.u8()
    if reader.bytes(6).contains(where: { $0 != 0 }) || recoveryID > 1 { reader.fail() }
    nonce = reader.u64()
    signature = RecoverableSignature(r: Digest(from: &reader), s: Digest(from: &reader), recoveryID: recoveryID)
    instrument = Instrument(from: &reader)
  }
}
