import Bytes

/// What is posted to the settlement layer for an epoch: 216 bytes, hashed and signed by verifiers as they stand.
public struct EpochHeader: ByteCodable, Sendable, Hashable {
  public static let byteCount = 4 + 32 * 6 + 4 + 8 + 8
  public var epoch: Epoch
  public var previousRoot: Digest
  /// Root of the account tree after the epoch.
  public var root: Digest
  /// Keccak root over the machines' fill roots, in order of machine.
  public var fillsRoot: Digest
  /// Keccak root over the marks in force, in order of instrument.
  public var marksRoot: Digest
  /// Keccak root over the machines' chain heads and entry roots, in order of machine.
  public var inputRoot: Digest
  /// Keccak root over the withdrawals granted, in order.
  public var withdrawalsRoot: Digest
  public var parameterVersion: UInt32
  /// Deposits consumed in all.
  public var depositCursor: UInt64
  /// Σ max(0, equity) over users' leaves, USD.
  public var totalPositiveEquity: Money
  public init(
    epoch: Epoch, previousRoot: Digest, root: Digest, fillsRoot: Digest, marksRoot: Digest, inputRoot: Digest,
    withdrawalsRoot: Digest, parameterVersion: UInt32, depositCursor: UInt64, totalPositiveEquity: Money
  ) {
    self.epoch = epoch
    self.previousRoot = previousRoot
    self.root = root
    self.fillsRoot = fillsRoot
    self.marksRoot = marksRoot
    self.inputRoot = inputRoot
    self.withdrawalsRoot = withdrawalsRoot
    self.parameterVersion = parameterVersion
    self.depositCursor = depositCursor
    self.totalPositiveEquity = totalPositiveEquity
  }
  public func write(to writer: inout ByteWriter) {
    epoch.write(to: &writer)
    previousRoot.write(to: &writer)
    root.write(to: &writer)
    fillsRoot.write(to: &writer)
    marksRoot.write(to: &writer)
    inputRoot.write(to: &writer)
    withdrawalsRoot.write(to: &writer)
    writer.u32(parameterVersion)
    writer.u64(depositCursor)
    totalPositiveEquity.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    epoch = Epoch(from: &reader)
    previousRoot = Digest(from: &reader)
    root = Digest(from: &reader)
    fillsRoot = Digest(from: &reader)
    marksRoot = Digest(from: &reader)
    inputRoot = Digest(from: &reader)
    withdrawalsRoot = Digest(from: &reader)
    parameterVersion = reader.u32()
    depositCursor = reader.u64()
    totalPositiveEquity = Money(from: &reader)
  }
}

/// A verifier's word on an epoch, journalled by the coordinator: it re-executed the journals and came to this header,
/// or it did not.
public struct Attestation: ByteCodable, Sendable, Hashable {
  public var verifier: UInt16
  public var epoch: Epoch
  /// Keccak-256 of the header that the verifier computed itself.
  public var headerHash: Digest
  /// True attests; false disputes.
  public var agrees: Bool
  /// Over the attestation digest (see `Settlement.AttestationDigest`), by the verifier's key.
  public var signature: RecoverableSignature
  public init(verifier: UInt16, epoch: Epoch, headerHash: Digest, agrees: Bool, signature: RecoverableSignature) {
    self.verifier = verifier
    self.epoch = epoch
    self.headerHash = headerHash
    self.agrees = agrees
    self.signature = signature
  }
  public func write(to writer: inout ByteWriter) {
    writer.u16(verifier)
    epoch.write(to: &writer)
    headerHash.write(to: &writer)
    writer.bool(agrees)
    signature.r.write(to: &writer)
    signature.s.write(to: &writer)
    writer.u8(signature.recoveryID)
  }
  public init(from reader: inout ByteReader) {
    verifier = reader.u16()
    epoch = Epoch(from: &reader)
    headerHash = Digest(from: &reader)
    agrees = reader.bool()
    signature = RecoverableSignature(
      r: Digest(from: &reader), s: Digest(from: &reader), recoveryID: reader.u8())
  }
}

/// What the settlement layer reports, journalled by the coordinator.
public enum SettlementEvent: ByteCodable, Sendable, Hashable {
  case deposit(Deposit)
  /// The header with this hash is on the layer.
  case posted(Epoch, headerHash: Digest)
  /// The layer will not undo the epoch.
  case final(Epoch, root: Digest)

  public func write(to writer: inout ByteWriter) {
    switch self {
    case .deposit(let deposit):
      writer.u8(1)
      deposit.write(to: &writer)
    case .posted(let epoch, let headerHash):
      writer.u8(2)
      epoch.write(to: &writer)
      headerHash.write(to: &writer)
    case .final(let epoch, let root):
      writer.u8(3)
      epoch.write(to: &writer)
      root.write(to: &writer)
    }
  }
  public init(from reader: inout ByteReader) {
    switch reader.u8() {
    case 1: self = .deposit(Deposit(from: &reader))
    case 2: self = .posted(Epoch(from: &reader), headerHash: Digest(from: &reader))
    case 3: self = .final(Epoch(from: &reader), root: Digest(from: &reader))
    default:
      reader.fail()
      self = .final(Epoch(0), root: .zero)
    }
  }
}
