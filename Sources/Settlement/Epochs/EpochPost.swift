import Bytes
import Market

/// What is posted for an epoch, and all that is published: from every `EpochPost` alone anyone rebuilds the account
/// tree. Layout: header, u32 count and the changed leaves with their positions, u32 count and the attestations.
public struct EpochPost: ByteCodable, Sendable, Hashable {
  public var header: EpochHeader
  /// Every leaf that the epoch rewrote, in order of account.
  public var changed: [PublishedLeaf]
  /// A quorum of verifiers' words on the header, in order of verifier.
  public var attestations: [Attestation]
  public init(header: EpochHeader, changed: [PublishedLeaf], attestations: [Attestation]) {
    self.header = header
    self.changed = changed
    self.attestations = attestations
  }
  public func write(to writer: inout ByteWriter) {
    header.write(to: &writer)
    writer.u32(UInt32(changed.count))
    for leaf in changed { leaf.write(to: &writer) }
    writer.u32(UInt32(attestations.count))
    for attestation in attestations { attestation.write(to: &writer) }
  }
  public init(from reader: inout ByteReader) {
    header = EpochHeader(from: &reader)
    changed = (0..<reader.itemCount(minimumSize: 106)).map { _ in PublishedLeaf(from: &reader) }
    attestations = (0..<reader.itemCount(minimumSize: 104)).map { _ in Attestation(from: &reader) }
  }
}

/// Asks the verifiers for their word on an epoch. Layout: epoch u32, header hash [32].
public struct AttestationRequest: ByteCodable, Sendable, Hashable {
  public var epoch: Epoch
  public var headerHash: Digest
  public init(epoch: Epoch, headerHash: Digest) {
    self.epoch = epoch
    self.headerHash = headerHash
  }
  public func write(to writer: inout ByteWriter) {
    epoch.write(to: &writer)
    headerHash.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    epoch = Epoch(from: &reader)
    headerHash = Digest(from: &reader)
  }
}

/// What the coordinator asks of its edge: the codes of its `OutputBuffer` effects.
public enum SettlementEffect: UInt32, Sendable, CaseIterable {
  /// An `AttestationRequest` for the verifiers; owed until a quorum's attestations are journalled.
  case attest = 1
  /// An `EpochPost` for the settlement layer; owed until its `posted` event is journalled.
  case post = 2
}
