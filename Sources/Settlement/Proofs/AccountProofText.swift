import Bytes
import Market

/// An `AccountProof` as JSON carries it: every part as hexadecimal text of its binary layout, and the account and epoch
/// in plain numbers for the reader's eye (they are not trusted when it is read back).
public struct AccountProofText: Codable, Sendable, Hashable {
  public var account: UInt32
  public var epoch: UInt32
  /// The root of the account tree that the proof leads to.
  public var root: String
  public var header: String
  public var leaf: String
  public var positions: [String]
  public var siblings: [String]

  public init(_ proof: AccountProof) {
    account = proof.leaf.account.rawValue
    epoch = proof.header.epoch.rawValue
    root = proof.header.root.description
    header = Self.text(proof.header)
    leaf = Self.text(proof.leaf)
    positions = proof.positions.map(Self.text)
    siblings = proof.siblings.map(\.description)
  }

  /// The proof; throws which part is malformed.
  public func proof() throws(MalformedBytes) -> AccountProof {
    let header = try Self.value(EpochHeader.self, header, "header")
    let leaf = try Self.value(AccountLeaf.self, leaf, "leaf")
    var entries: [PositionEntry] = []
    for text in positions { entries.append(try Self.value(PositionEntry.self, text, "position")) }
    var digests: [Digest] = []
    for text in siblings { digests.append(try Self.value(Digest.self, text, "sibling")) }
    guard digests.count == AccountTree.depth else {
      throw MalformedBytes(expected: "\(AccountTree.depth) siblings, not \(digests.count)")
    }
    return AccountProof(
      header: header, account: PublishedLeaf(leaf: leaf, positions: entries), siblings: digests)
  }

  private static func text(_ value: some ByteCodable) -> String { "0x" + Hexadecimal.encode(value.encoded) }
  private static func value<Value: ByteCodable>(
    _ type: Value.Type, _ text: String, _ part: String
  ) throws(MalformedBytes) -> Value {
    guard let bytes = Hexadecimal.decode(text), let value = try? Value(decoding: bytes) else {
      throw MalformedBytes(expected: "the \(part) of an account proof in hexadecimal")
    }
    return value
  }
}
