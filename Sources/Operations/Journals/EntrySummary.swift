import Bytes
import Foundation
import Machine
import Market

/// One journal entry, for people and programs.
struct EntrySummary: Encodable {
  var sequence: UInt64
  /// ISO 8601 with nanoseconds, UTC.
  var stamp: String
  var term: UInt32
  /// As `InputKind` names it; `listing` for an action that lists an instrument.
  var kind: String
  /// Whose stream the messages are from; absent otherwise.
  var source: String?
  /// The epoch in which the source produced them.
  var epoch: UInt32?
  var firstNumber: UInt64?
  var payloadBytes: Int
  /// What the payload says, in a line.
  var says: String
  /// The payload; only if asked for.
  var payload: String?

  init(_ header: InputHeader, _ bytes: UnsafeRawBufferPointer, withPayload: Bool) {
    sequence = header.sequence.rawValue
    stamp = header.stamp.iso8601
    term = header.term.rawValue
    kind = header.kind == .action && SignedListing.isMeant(by: bytes) ? "listing" : "\(header.kind)"
    if header.kind == .stream || header.source != .none {
      source = "\(header.source)"
      epoch = header.epoch.rawValue
      firstNumber = header.firstNumber
    }
    payloadBytes = bytes.count
    says = Self.saying(header, bytes)
    payload = withPayload ? bytes.hexadecimal : nil
  }

  private static func saying(_ header: InputHeader, _ bytes: UnsafeRawBufferPointer) -> String {
    switch header.kind {
    case .genesis:
      guard let market = try? MarketDefinition(decoding: bytes) else { return unreadable }
      return "\(market.instruments.count) instruments in \(market.shardCount) shards"
    case .tick: return "a deadline has come"
    case .continuation: return "unfinished work goes on"
    case .handOver: return "handed over to another copy"
    case .quarantined:
      guard let input = QuarantinedInput(bytes) else { return unreadable }
      var inner = header
      inner.kind = input.quarantine.kind
      return "kept from the machine after \(input.quarantine.deaths) deaths: \(inner.kind): "
        + saying(inner, input.payload)
    case .seal:
      guard let seal = try? Seal(decoding: bytes) else { return unreadable }
      return "epoch \(seal.epoch) ends; entries \(seal.firstSequence) to \(seal.lastSequence), root \(seal.entryRoot)"
    case .action: return action(bytes)
    case .stream: return messages(header, bytes)
    case .marks:
      if let marks = try? ShardMarks(decoding: bytes) {
        return "version \(marks.version), index \(marks.index), \(marks.entries.count) instruments"
      }
      guard let marks = try? RiskMarks(decoding: bytes) else { return unreadable }
      return "version \(marks.version), \(marks.entries.count) instruments"
    case .sessionEnd:
      guard let end = try? SessionEnd(decoding: bytes) else { return unreadable }
      return "session \(end.session), up to generation \(end.generation)"
    case .attestation:
      guard let attestation = try? Attestation(decoding: bytes) else { return unreadable }
      return "of epoch \(attestation.epoch)"
    case .settlementEvent:
      guard let event = try? SettlementEvent(decoding: bytes) else { return unreadable }
      return "\(event)"
    }
  }

  private static let unreadable = "not readable as what it should be; the machine refused it"

  private static func action(_ bytes: UnsafeRawBufferPointer) -> String {
    if SignedListing.isMeant(by: bytes) {
      guard let listing = try? SignedListing(decoding: bytes) else { return unreadable }
      return "instrument \(listing.instrument.id) \(listing.instrument.name), nonce \(listing.nonce)"
    }
    var reader = ByteReader(bytes)
    let header = SignedActionHeader(from: &reader)
    if reader.hasFailed { return unreadable }
    var text = "account \(header.account), nonce \(header.nonce)"
    if header.module == .withdrawal { return text + ": a withdrawal" }
    let operations = (0..<header.operationCount).map { _ in Market.Operation(from: &reader) }
    if reader.hasFailed { return unreadable }
    for operation in operations.prefix(3) { text += (text.contains(":") ? "; " : ": ") + words(of: operation) }
    return operations.count > 3 ? text + "; \(operations.count - 3) more" : text
  }

  private static func words(of operation: Market.Operation) -> String {
    let kind = Market.Operation.Kind(rawValue: operation.rawKind).map { "\($0)" } ?? "kind \(operation.rawKind)"
    var words = "\(kind) instrument \(operation.instrument)"
    if [.new, .replace, .quote].contains(Market.Operation.Kind(rawValue: operation.rawKind)) {
      let side = Side(rawValue: operation.rawSide).map { "\($0) " } ?? ""
      words += " \(side)\(operation.quantity) at \(operation.price)"
    }
    if operation.targetNonce != 0 { words += " of nonce \(operation.targetNonce)" }
    return words
  }

  private static func messages(_ header: InputHeader, _ bytes: UnsafeRawBufferPointer) -> String {
    var counts: [(kind: String, count: Int)] = []
    var messages = StreamMessages(header, bytes)
    while let message = messages.next() {
      let kind = message.kind.map { "\($0)" } ?? "unknown"
      if let place = counts.firstIndex(where: { $0.kind == kind }) {
        counts[place].count += 1
      } else {
        counts.append((kind, 1))
      }
    }
    let said = counts.map { $0.count == 1 ? $0.kind : "\($0.count) \($0.kind)" }.joined(separator: ", ")
    return messages.isExhausted ? said : said + "; the rest is not readable"
  }
}

extension UnsafeRawBufferPointer {
  /// Two lower-case digits a byte.
  var hexadecimal: String {
    let digits = [UInt8]("0123456789abcdef".utf8)
    return String(unsafeUninitializedCapacity: count * 2) { text in
      for (place, byte) in enumerated() {
        text[place * 2] = digits[Int(byte >> 4)]
        text[place * 2 + 1] = digits[Int(byte & 15)]
      }
      return count * 2
    }
  }
}

extension Timestamp {
  /// With nanoseconds, UTC.
  var iso8601: String {
    let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let whole = Date(timeIntervalSince1970: Double(rest < 0 ? seconds - 1 : seconds)).ISO8601Format()
    return whole.dropLast() + "." + String(String(1_000_000_000 + (rest < 0 ? rest + 1_000_000_000 : rest)).dropFirst())
      + "Z"
  }
}
