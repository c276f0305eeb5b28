import Bytes
import Market

/// What the aggregator knows of one (account, shard) ceiling. Amounts are USD units.
///
/// ```
/// U consumed ──────────────┬──────────── ceiling
///                          └ outstanding ┘   = max(last acknowledged, every ceiling sent since) − U
/// ```
struct CreditLine: Sendable, Hashable {
  struct Sent: Sendable, Hashable, BitwiseCopyable {
    var version: UInt64
    var ceiling: Int64
  }

  /// Version of the last credit sent.
  var version: UInt64 = 0
  /// The shard's ceiling as it last stated it.
  var acknowledged: Int64 = 0
  /// Credits sent that it has not answered, oldest first.
  var unanswered: [Sent] = []
  /// U: the account's cumulative charge there, as last stated.
  var consumed: Int64 = 0
  /// A forced recall was sent and the deficit it was for still lasts.
  var isForced = false

  /// The highest ceiling that may be in force there.
  var highest: Int64 { unanswered.reduce(acknowledged) { max($0, $1.ceiling) } }
  /// What the shard may still charge.
  var outstanding: Int64 { max(0, highest - consumed) }

  /// U as stated by the shard. It only grows; anything else is not believed.
  mutating func consume(upTo consumed: Int64) {
    if consumed <= RiskLimits.amount { self.consumed = max(self.consumed, consumed) }
  }

  /// The shard has stated the ceiling in force after taking `version`.
  mutating func acknowledge(_ version: UInt64, ceiling: Int64) -> Bool {
    guard version <= self.version, ceiling >= 0, ceiling <= RiskLimits.amount,
      unanswered.contains(where: { $0.version == version })
    else { return false }
    unanswered.removeAll { $0.version <= version }
    acknowledged = ceiling
    return true
  }
}

extension CreditLine {
  func write(to writer: inout ByteWriter) {
    writer.u64(version)
    writer.i64(acknowledged)
    writer.u32(UInt32(unanswered.count))
    for sent in unanswered {
      writer.u64(sent.version)
      writer.i64(sent.ceiling)
    }
    writer.i64(consumed)
    writer.bool(isForced)
  }
  init(from reader: inout ByteReader) {
    version = reader.u64()
    acknowledged = reader.i64()
    unanswered = (0..<reader.itemCount(minimumSize: 16)).map { _ in
      Sent(version: reader.u64(), ceiling: reader.i64())
    }
    consumed = reader.i64()
    isForced = reader.bool()
    let range = 0...RiskLimits.amount
    if !range.contains(acknowledged) || !range.contains(consumed) || version > RiskLimits.streamNumber
      || unanswered.contains(where: { !range.contains($0.ceiling) })
    {
      reader.fail()
    }
  }
}

/// An order that its shard holds for want of credit, waiting here for a recall to come back.
struct HeldOrder: Sendable, Hashable, BitwiseCopyable, ByteCodable {
  static let byteCount = 26
  var shard: ShardID
  var request: UInt64
  var charge: Int64
  var shortfall: Int64

  init(shard: ShardID, request: UInt64, charge: Int64, shortfall: Int64) {
    self.shard = shard
    self.request = request
    self.charge = charge
    self.shortfall = shortfall
  }
  func write(to writer: inout ByteWriter) {
    shard.write(to: &writer)
    writer.u64(request)
    writer.i64(charge)
    writer.i64(shortfall)
  }
  init(from reader: inout ByteReader) {
    shard = ShardID(from: &reader)
    request = reader.u64()
    charge = reader.i64()
    shortfall = reader.i64()
    let range = 0...RiskLimits.amount
    if !range.contains(charge) || !range.contains(shortfall) { reader.fail() }
  }
}

/// The one order that an account in deficit may run because it shrinks the deficit.
struct OpenGrant: Sendable, Hashable, BitwiseCopyable, ByteCodable {
  var shard: ShardID
  var request: UInt64
  var charge: Int64

  init(shard: ShardID, request: UInt64, charge: Int64) {
    self.shard = shard
    self.request = request
    self.charge = charge
  }
  func write(to writer: inout ByteWriter) {
    shard.write(to: &writer)
    writer.u64(request)
    writer.i64(charge)
  }
  init(from reader: inout ByteReader) {
    shard = ShardID(from: &reader)
    request = reader.u64()
    charge = reader.i64()
    if charge < 0 || charge > RiskLimits.amount { reader.fail() }
  }
}
