import Bytes
import Cryptography
import Market

/// That an account stood so under an epoch's root: a user's way out without the operator.
///
/// Layout: header [216], the leaf and its positions as published, 24 siblings [32] from the leaf upwards.
public struct AccountProof: ByteCodable, Sendable, Hashable {
  public var header: EpochHeader
  public var account: PublishedLeaf
  /// From the leaf's sibling up to the root's child.
  public var siblings: [Digest]
  public init(header: EpochHeader, account: PublishedLeaf, siblings: [Digest]) {
    self.header = header
    self.account = account
    self.siblings = siblings
  }

  public var leaf: AccountLeaf { account.leaf }
  public var positions: [PositionEntry] { account.positions }

  /// Whether the leaf and its positions stand under the header's root, and that root is `root`.
  public func verify(against root: Digest) -> Bool {
    header.root == root && account.isConsistent
      && AccountTree.verify(leaf: leaf.hash, account: leaf.account, siblings: siblings, root: root)
  }

  /// The same, where the whole header is known by its hash: then no bit of the proof can be another.
  public func verify(againstHeaderHash headerHash: Digest) -> Bool {
    header.headerHash == headerHash && verify(against: header.root)
  }

  public func write(to writer: inout ByteWriter) {
    header.write(to: &writer)
    account.write(to: &writer)
    for sibling in siblings { sibling.write(to: &writer) }
  }
  public init(from reader: inout ByteReader) {
    header = EpochHeader(from: &reader)
    account = PublishedLeaf(from: &reader)
    siblings = (0..<AccountTree.depth).map { _ in Digest(from: &reader) }
  }
}
