import Bytes
import Machine
import Market

/// Inputs and outputs in words, a line each.
enum Spoken {
  static func line(_ input: RecordedInput) -> String {
    let time = (input.stamp.nanoseconds - World.start.nanoseconds) / 1_000_000
    return "  +\(time) ms \(input.kind): \(content(input))"
  }

  private static func content(_ input: RecordedInput) -> String {
    switch input.kind {
    case .action:
      guard let action = try? SignedAction(decoding: input.payload) else { return "\(input.payload.count) odd bytes" }
      let header = action.header
      let operations = action.operations.map(line).joined(separator: "; ")
      return "account \(header.account) nonce \(header.nonce) session \(header.session).\(header.sessionGeneration)"
        + "\(header.module == .trade ? " trade, fee \(header.maximumFee)" : "") | \(operations)"
    case .stream:
      var reader = ByteReader(UnsafeRawBufferPointer(start: nil, count: 0))
      return input.payload.withUnsafeBytes { bytes in
        reader = ByteReader(bytes)
        return message(ByteReader(reader.blob()))
      }
    case .marks:
      guard let marks = try? ShardMarks(decoding: input.payload) else { return "odd bytes" }
      let entries = marks.entries.map {
        "\($0.instrument): \($0.mark) [\($0.bandLow), \($0.bandHigh)] margin \($0.marginToBuy)/\($0.marginToSell)"
          + " delta \($0.delta) vega \($0.vega)"
      }
      return "version \(marks.version) index \(marks.index) \(entries.joined(separator: ", "))"
    case .sessionEnd:
      guard let end = try? SessionEnd(decoding: input.payload) else { return "odd bytes" }
      return "\(end.session) up to generation \(end.generation)"
    case .genesis:
      guard let market = try? MarketDefinition(decoding: input.payload) else { return "odd bytes" }
      return "step bound \(market.parameters.stepBound), maker fee \(market.parameters.makerFee)"
    default: return input.payload.isEmpty ? "" : "\(input.payload.count) bytes"
    }
  }

  static func line(_ operation: Market.Operation) -> String {
    guard let kind = operation.kind else { return "kind \(operation.rawKind)" }
    var words = ["\(kind) in \(operation.instrument)"]
    func add(_ word: String, unless isAbsent: Bool) { if !isAbsent { words.append(word) } }
    add(operation.side.map { "\($0)" } ?? "side \(operation.rawSide)", unless: false)
    add(operation.type.map { "\($0)" } ?? "type \(operation.rawType)", unless: operation.rawType == 0)
    add(
      operation.timeInForce.map { "\($0)" } ?? "time in force \(operation.rawTimeInForce)",
      unless: operation.rawTimeInForce == 0)
    add("quantity \(operation.quantity)", unless: operation.quantity == .zero)
    add("price \(operation.price)", unless: operation.price == .zero)
    add("flags \(operation.flags.rawValue)", unless: operation.flags.isEmpty)
    add("self-trade \(operation.selfTradePrevention)", unless: operation.selfTradePrevention == 0)
    add("source \(operation.triggerSource)", unless: operation.triggerSource == 0)
    add("trigger \(operation.triggerPrice)", unless: operation.triggerPrice == .zero)
    add("display \(operation.displayQuantity)", unless: operation.displayQuantity == .zero)
    add(
      "target \(operation.targetNonce).\(operation.targetIndex)",
      unless: operation.targetNonce == 0 && operation.targetIndex == 0)
    add("expiry \(operation.expiry)", unless: operation.expiry == 0)
    add("label \(operation.label)", unless: operation.label == 0)
    add("reserved \(operation.reserved)", unless: operation.reserved == 0)
    return words.joined(separator: " ")
  }

  private static func message(_ reader: ByteReader) -> String {
    var body = reader
    guard let kind = MessageKind(rawValue: body.u8()) else { return "an unknown message" }
    switch kind {
    case .fill: return "\(Fill(from: &body))"
    case .creditTaken: return "\(CreditTaken(from: &body))"
    case .creditRequest: return "\(CreditRequest(from: &body))"
    case .freezeTaken: return "\(FreezeTaken(from: &body))"
    case .liquidationResult: return "\(LiquidationResult(from: &body))"
    case .grantClosed: return "\(GrantClosed(from: &body))"
    case .protectionTripped: return "\(ProtectionTripped(from: &body))"
    case .heartbeat: return "\(Heartbeat(from: &body))"
    case .credit: return "\(Credit(from: &body))"
    case .grant: return "\(Grant(from: &body))"
    case .creditRefused: return "\(CreditRefused(from: &body))"
    case .freeze: return "\(Freeze(from: &body))"
    case .release: return "\(Release(from: &body))"
    case .liquidate: return "\(Liquidate(from: &body))"
    case .settle: return "\(Settle(from: &body))"
    case .halt: return "\(Halt(from: &body))"
    case .protectionFreeze: return "\(ProtectionFreeze(from: &body))"
    case .listing: return "\(InstrumentListing(from: &body))"
    case .commitment: return "\(Commitment(from: &body))"
    case .deposit, .epochFinal: return "\(kind)"
    }
  }

  /// What an engine said, a line a record.
  static func lines(_ output: borrowing OutputBuffer) -> [String] {
    var lines: [String] = []
    output.forEach { record in
      let what: String
      switch record.kind {
      case .stream: what = message(ByteReader(record.payload))
      case .reply: what = (try? ActionReply(decoding: record.payload)).map { "\($0)" } ?? "odd reply"
      case .report: what = (try? ExecutionReport(decoding: record.payload)).map { "\($0)" } ?? "odd report"
      case .book: what = (try? BookDelta(decoding: record.payload)).map { "\($0)" } ?? "odd delta"
      case .status: what = (try? InstrumentStatus(decoding: record.payload)).map { "\($0)" } ?? "odd status"
      case .effect: what = "effect"
      }
      lines.append("    \(record.kind) → \(record.destination) #\(record.number): \(what)")
    }
    return lines
  }
}
