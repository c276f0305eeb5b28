import Bytes
import Market

/// An epoch that has been sealed and is not final yet, and how far it has come.
struct OpenEpoch: ByteCodable, Sendable {
  /// What was computed once every commitment had come.
  struct Computed: Sendable {
    var header: EpochHeader
    var headerHash: Digest
    /// The leaves to publish; dropped once they are posted.
    var changed: [PublishedLeaf]
    /// The post was asked for.
    var isRequested = false
    /// The settlement layer holds it.
    var isPosted = false
  }

  var epoch: Epoch
  /// By place in the market's committing machines; dropped once applied.
  var commitments: [Commitment?]
  /// At most one a verifier, in order of verifier; all signed.
  var attestations: [Attestation] = []
  var computed: Computed?

  init(epoch: Epoch, machines: Int) {
    self.epoch = epoch
    commitments = Array(repeating: nil, count: machines)
  }

  func hasQuorum(_ quorum: Int) -> Bool {
    guard let computed else { return false }
    return attestations.count { $0.agrees && $0.headerHash == computed.headerHash } >= quorum
  }

  func write(to writer: inout ByteWriter) {
    epoch.write(to: &writer)
    writer.u32(UInt32(commitments.count))
    for commitment in commitments {
      writer.bool(commitment != nil)
      commitment?.write(to: &writer)
    }
    writer.u32(UInt32(attestations.count))
    for attestation in attestations { attestation.write(to: &writer) }
    writer.bool(computed != nil)
    guard let computed else { return }
    EpochPost(header: computed.header, changed: computed.changed, attestations: []).write(to: &writer)
    writer.bool(computed.isRequested)
    writer.bool(computed.isPosted)
  }

  init(from reader: inout ByteReader) {
    epoch = Epoch(from: &reader)
    commitments = (0..<reader.itemCount(minimumSize: 1)).map { _ in
      reader.bool() ? Commitment(from: &reader) : nil
    }
    attestations = (0..<reader.itemCount(minimumSize: 104)).map { _ in Attestation(from: &reader) }
    guard reader.bool() else { return }
    let post = EpochPost(from: &reader)
    computed = Computed(
      header: post.header, headerHash: post.header.headerHash, changed: post.changed,
      isRequested: reader.bool(), isPosted: reader.bool())
  }
}
