import Bytes
import Cryptography
import Market

/// An open position of an account. Layout: instrument u32, lots i64.
public struct PositionEntry: ByteCodable, Sendable, Hashable, BitwiseCopyable {
  public static let byteCount = 12
  public var instrument: InstrumentID
  /// Positive long, negative short, never zero in an account's list.
  public var lots: Lots
  public init(instrument: InstrumentID, lots: Lots) {
    self.instrument = instrument
    self.lots = lots
  }
  public func write(to writer: inout ByteWriter) {
    instrument.write(to: &writer)
    lots.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    instrument = InstrumentID(from: &reader)
    lots = Lots(from: &reader)
  }

  /// What an `AccountLeaf.positionsRoot` commits to: the entries in order.
  public static func root(_ entries: [PositionEntry]) -> Digest {
    if entries.isEmpty { return RFC6962Keccak.emptyRoot }
    var writer = ByteWriter(capacity: entries.count * byteCount)
    for entry in entries { entry.write(to: &writer) }
    let bytes = writer.bytes
    return MerkleTree<RFC6962Keccak>.root(count: entries.count) { index in
      RFC6962Keccak.leaf(UnsafeRawBufferPointer(rebasing: bytes[index * byteCount..<(index + 1) * byteCount]))
    }
  }
}

/// A leaf with what its positions root hides: all that is published of an account.
/// Layout: the leaf, u32 count, the position entries.
public struct PublishedLeaf: ByteCodable, Sendable, Hashable {
  public var leaf: AccountLeaf
  /// In order of instrument, no zero lots.
  public var positions: [PositionEntry]
  public init(leaf: AccountLeaf, positions: [PositionEntry]) {
    self.leaf = leaf
    self.positions = positions
  }

  /// Whether the positions are in canonical form and are those that the leaf commits to.
  public var isConsistent: Bool {
    for (previous, next) in zip(positions, positions.dropFirst()) where previous.instrument >= next.instrument {
      return false
    }
    return positions.allSatisfy { $0.lots != .zero } && leaf.positionsRoot == PositionEntry.root(positions)
      && leaf.ledger.count == leaf.withdrawn.count
  }

  public func write(to writer: inout ByteWriter) {
    leaf.write(to: &writer)
    writer.u32(UInt32(positions.count))
    for position in positions { position.write(to: &writer) }
  }
  public init(from reader: inout ByteReader) {
    leaf = AccountLeaf(from: &reader)
    positions = (0..<reader.itemCount(minimumSize: PositionEntry.byteCount)).map { _ in PositionEntry(from: &reader) }
  }
}
