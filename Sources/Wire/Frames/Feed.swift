import Bytes
import Market

/// A body of execution reports, book changes and trading states of one shard, after one group commit: shard u16, then
/// records of kind u8 (1 report, 2 book, 3 status), `u16` length, layout.
public enum Feed {
  public enum Item: UInt8, Sendable, BitwiseCopyable {
    case report = 1
    case book = 2
    case status = 3
  }

  /// Starts a feed frame.
  public static func begin(_ shard: ShardID, in writer: inout ByteWriter) {
    Frame.begin(.feed, in: &writer)
    shard.write(to: &writer)
  }
  /// Appends an encoded report or book change.
  public static func append(_ item: Item, _ layout: UnsafeRawBufferPointer, to writer: inout ByteWriter) {
    writer.u8(item.rawValue)
    writer.u16(UInt16(layout.count))
    writer.bytes(layout)
  }
  /// True when a frame that was begun holds no record yet.
  public static func isEmpty(_ writer: borrowing ByteWriter) -> Bool { writer.count <= Frame.headerBytes + 2 }

  /// Walks a feed body; false when it is malformed (records before the damage have been handed out).
  public static func read(
    _ body: inout ByteReader, _ each: (ShardID, Item, UnsafeRawBufferPointer) -> Void
  ) -> Bool {
    let shard = ShardID(from: &body)
    while body.remaining > 0, !body.hasFailed {
      let item = body.enumeration(Item.self, otherwise: .report)
      let layout = body.bytes(Int(body.u16()))
      if body.hasFailed { return false }
      each(shard, item, layout)
    }
    return body.isExhausted
  }
}
