import Bytes
import Machine
import Market

/// A machine whose state is the sum of the payloads' bytes, and which tells every tenth sum to the shard 1.
struct TestMachine: Machine, ~Copyable {
  static var snapshotVersion: UInt16 { 7 }
  private(set) var sum: UInt64 = 0
  private(set) var entries: UInt64 = 0
  private(set) var streams = StreamNumbers()
  var epoch = Epoch(1)
  var nextDeadline: Timestamp { .never }
  private let padding: Int

  init(id: MachineID) { padding = 0 }
  init(id: MachineID, snapshot: inout ByteReader) {
    sum = snapshot.u64()
    entries = snapshot.u64()
    streams = StreamNumbers(from: &snapshot)
    padding = Int(snapshot.u32())
    _ = snapshot.bytes(padding)
  }

  mutating func apply(_ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    for byte in payload { sum = sum &* 31 &+ UInt64(byte) }
    entries += 1
    if entries % 10 == 0 { output.send(HaltMessage(sum), to: .shard(ShardID(1)), &streams) }
  }

  borrowing func writeSnapshot(to writer: inout ByteWriter) {
    writer.u64(sum)
    writer.u64(entries)
    streams.write(to: &writer)
    writer.u32(300_000)
    writer.bytes([UInt8](repeating: UInt8(truncatingIfNeeded: sum), count: 300_000))
  }
  borrowing func hash(into hasher: inout StateHasher) { hasher.combine(sum) }
}

/// Any message will do.
struct HaltMessage: StreamMessage {
  static let kind = MessageKind.halt
  var sum: UInt64
  init(_ sum: UInt64) { self.sum = sum }
  func write(to writer: inout ByteWriter) { writer.u64(sum) }
  init(from reader: inout ByteReader) { sum = reader.u64() }
}
