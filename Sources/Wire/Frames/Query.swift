import Bytes
import Market

/// A question to a machine's host or to an edge; it reads durable state and changes nothing.
public struct Query: ByteCodable, Sendable, Hashable {
  public enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// Counters, lags and health, as JSON.
    case status = 1
    /// The best of one instrument's book: body is the instrument id; JSON.
    case book = 2
    /// One account as its machine sees it: body is the account id; JSON.
    case account = 3
    /// One epoch as the coordinator sees it: body is the epoch, 0 for the last final one; JSON.
    case epoch = 4
    /// An inclusion proof: body is the account id; an encoded `AccountProof`.
    case proof = 5
    /// A `VaultTransaction` for the settlement layer; answers its receipt.
    case transaction = 6
    /// The market: answers an encoded `MarketDefinition`.
    case market = 7
    /// Open orders of one account in a shard: body is the account id; JSON.
    case openOrders = 8
    /// The latest marks of one shard, from a gateway: body is the shard id; an encoded `ShardMarks`.
    case marks = 9
    /// One instrument's whole book by levels: body is the instrument id; an encoded `BookLevelsImage`.
    case bookLevels = 10
    /// One instrument's whole book order by order: body is the instrument id; an encoded `BookImage`.
    case bookOrders = 11
    /// The market's instruments from one on, as risk has listed them: body is the instrument id; encoded `Listings`.
    case listings = 12
    /// What keeps an account from trading in a shard: body is the account id; JSON.
    case standing = 13
    /// From the operator to a machine's owner: give it to the copy on another node; body is the node's name, the answer
    /// is empty.
    case handOver = 14
  }
  /// Chosen by the asker; stands in the answer.
  public var tag: UInt64
  public var kind: Kind
  public var machine: MachineID
  public var body: [UInt8]
  public init(tag: UInt64, kind: Kind, machine: MachineID, body: [UInt8] = []) {
    self.tag = tag
    self.kind = kind
    self.machine = machine
    self.body = body
  }
  public func write(to writer: inout ByteWriter) {
    writer.u64(tag)
    writer.u8(kind.rawValue)
    machine.write(to: &writer)
    writer.u32(UInt32(body.count))
    writer.bytes(body)
  }
  public init(from reader: inout ByteReader) {
    tag = reader.u64()
    kind = reader.enumeration(Kind.self, otherwise: .status)
    machine = MachineID(from: &reader)
    body = [UInt8](reader.blob())
  }
}

/// The answer to a `Query`.
public struct Answer: ByteCodable, Sendable, Hashable {
  public var tag: UInt64
  /// False when `body` is a text that says what was wrong.
  public var isAnswered: Bool
  public var body: [UInt8]
  public init(tag: UInt64, isAnswered: Bool, body: [UInt8]) {
    self.tag = tag
    self.isAnswered = isAnswered
    self.body = body
  }
  public func write(to writer: inout ByteWriter) {
    writer.u64(tag)
    writer.bool(isAnswered)
    writer.u32(UInt32(body.count))
    writer.bytes(body)
  }
  public init(from reader: inout ByteReader) {
    tag = reader.u64()
    isAnswered = reader.bool()
    body = [UInt8](reader.blob())
  }
}
