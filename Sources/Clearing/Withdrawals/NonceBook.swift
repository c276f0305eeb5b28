import Bytes
import Machine
import Market

/// The live nonces of an account's owner key at the aggregator: each keeps the action's hash and its answer until the
/// signature has expired.
struct NonceBook: Sendable, Hashable {
  struct Entry: Sendable, Hashable, BitwiseCopyable {
    var nonce: UInt64
    /// Over the signed fields.
    var hash: UInt64
    /// Unix seconds.
    var expiry: UInt64
    var term: Term
    var sequence: SequenceNumber
    var stamp: Timestamp
    var outcome: Outcome
  }

  /// In order of nonce.
  private(set) var entries: [Entry] = []

  private func place(of nonce: UInt64) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].nonce < nonce { low = middle + 1 } else { high = middle }
    }
    return low
  }

  subscript(nonce: UInt64) -> Entry? {
    let place = place(of: nonce)
    return place < entries.count && entries[place].nonce == nonce ? entries[place] : nil
  }

  /// Adds a nonce that is not there yet.
  mutating func add(_ entry: Entry) { entries.insert(entry, at: place(of: entry.nonce)) }

  /// Replaces the stored answer.
  mutating func settle(_ nonce: UInt64, outcome: Outcome) {
    let place = place(of: nonce)
    if place < entries.count && entries[place].nonce == nonce { entries[place].outcome = outcome }
  }

  /// Forgets what has expired: a resend of it is refused for its age. What is still pending stays.
  mutating func forget(before stamp: Timestamp) {
    entries.removeAll { SignatureAge.isExpired($0.expiry, at: stamp) && $0.outcome != .pending }
  }
}

extension NonceBook: ByteCodable {
  func write(to writer: inout ByteWriter) {
    writer.u32(UInt32(entries.count))
    for entry in entries {
      writer.u64(entry.nonce)
      writer.u64(entry.hash)
      writer.u64(entry.expiry)
      entry.term.write(to: &writer)
      entry.sequence.write(to: &writer)
      entry.stamp.write(to: &writer)
      writer.u16(entry.outcome.rawValue)
    }
  }
  init(from reader: inout ByteReader) {
    entries = (0..<reader.itemCount(minimumSize: 46)).map { _ in
      Entry(
        nonce: reader.u64(), hash: reader.u64(), expiry: reader.u64(), term: Term(from: &reader),
        sequence: SequenceNumber(from: &reader), stamp: Timestamp(from: &reader),
        outcome: reader.enumeration(Outcome.self, otherwise: .malformed))
    }
    if zip(entries, entries.dropFirst()).contains(where: { $0.nonce >= $1.nonce }) { reader.fail() }
  }
}

/// How a signature's expiry, in unix seconds, relates to a stamp.
enum SignatureAge {
  /// True from the second of the expiry on: the last instant before it is the last that counts.
  static func isExpired(_ expiry: UInt64, at stamp: Timestamp) -> Bool { UInt64(max(0, stamp.seconds)) >= expiry }
  static func isTooFar(_ expiry: UInt64, at stamp: Timestamp, lifetime: Interval) -> Bool {
    expiry > UInt64(max(0, (stamp + lifetime).seconds))
  }
}

/// A withdrawal that waits for ceilings to come back.
struct PendingWithdrawal: Sendable, Hashable, BitwiseCopyable, ByteCodable {
  static let byteCount = 37
  var nonce: UInt64
  var currency: Currency
  /// In 1e-8 of the currency; positive.
  var amount: Int64
  var recipient: Address

  init(nonce: UInt64, currency: Currency, amount: Int64, recipient: Address) {
    self.nonce = nonce
    self.currency = currency
    self.amount = amount
    self.recipient = recipient
  }
  func write(to writer: inout ByteWriter) {
    writer.u64(nonce)
    currency.write(to: &writer)
    writer.i64(amount)
    recipient.write(to: &writer)
  }
  init(from reader: inout ByteReader) {
    nonce = reader.u64()
    currency = Currency(from: &reader)
    amount = reader.i64()
    recipient = Address(from: &reader)
    if amount <= 0 || amount > RiskLimits.amount { reader.fail() }
  }
}
