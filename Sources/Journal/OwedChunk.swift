import Bytes
import Market

/// A chunk of an outbox with its own bytes, on its way to another copy of the machine.
public struct OwedChunk: ByteCodable, Sendable, Hashable {
  public var destination: MachineID
  public var firstNumber: UInt64
  public var count: UInt16
  public var epoch: Epoch
  /// Laid out as a `stream` payload.
  public var messages: [UInt8]

  public init(_ chunk: OutboxChunk) {
    destination = chunk.destination
    firstNumber = chunk.firstNumber
    count = chunk.count
    epoch = chunk.epoch
    messages = [UInt8](chunk.messages)
  }

  /// Number of the last message.
  public var lastNumber: UInt64 { firstNumber + UInt64(count) - 1 }

  public func write(to writer: inout ByteWriter) {
    destination.write(to: &writer)
    writer.u64(firstNumber)
    writer.u16(count)
    epoch.write(to: &writer)
    messages.withUnsafeBytes { writer.blob($0) }
  }
  public init(from reader: inout ByteReader) {
    destination = MachineID(from: &reader)
    firstNumber = reader.u64()
    count = reader.u16()
    epoch = Epoch(from: &reader)
    messages = [UInt8](reader.blob())
    if count == 0 || firstNumber > UInt64(Int64.max) { reader.fail() }
  }
}
