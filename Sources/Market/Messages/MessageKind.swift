import Bytes

/// First byte of a stream message; the rest is the layout of the struct of the same name.
public enum MessageKind: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  // From a shard to risk.
  case fill = 1
  case creditTaken = 2
  case creditRequest = 3
  case freezeTaken = 4
  case liquidationResult = 5
  case grantClosed = 6
  case protectionTripped = 7
  // From any machine to any.
  case heartbeat = 10
  // From risk to a shard.
  case credit = 20
  case grant = 21
  case creditRefused = 22
  case freeze = 23
  case release = 24
  case liquidate = 25
  case settle = 26
  case halt = 27
  case protectionFreeze = 28
  // From risk to every shard and to settlement.
  case listing = 29
  // From a shard or risk to settlement.
  case commitment = 40
  // From settlement to risk.
  case deposit = 41
  case epochFinal = 42
}

/// A message that one machine's stream carries to another.
public protocol StreamMessage: ByteCodable, Sendable {
  static var kind: MessageKind { get }
}

/// A sign of life with its sender's stamp; it also carries the sender's epoch when there is nothing else to say.
public struct Heartbeat: StreamMessage, Hashable {
  public static let kind = MessageKind.heartbeat
  /// 1, 2, 3, … on each stream.
  public var number: UInt64
  public var stamp: Timestamp
  public init(number: UInt64, stamp: Timestamp) {
    self.number = number
    self.stamp = stamp
  }
  public func write(to writer: inout ByteWriter) {
    writer.u64(number)
    stamp.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    number = reader.u64()
    stamp = Timestamp(from: &reader)
  }
}
