import Bytes
import Machine
import Market

/// Hears what an engine says and puts it into a few words; keeps a copy of every book from its deltas.
struct ScenarioEar {
  private struct Shown {
    var number: UInt64
    var instrument: InstrumentID
    var side: Side
    var price: Price
    var lots: Int64
  }
  private var shown: [Shown] = []
  private var checksums: [UInt32: UInt64] = [:]
  private var sequences: [UInt32: UInt64] = [:]
  private var positions: [String: Int64] = [:]

  /// The events in order, apart by bars; a reply comes first, and a step without words is "nothing".
  mutating func hear(
    _ output: borrowing OutputBuffer,
    _ names: [(label: String, account: UInt32, nonce: UInt64, index: UInt16)]
  ) -> String {
    var replies: [String] = []
    var events: [String] = []
    func who(_ order: OrderID) -> String {
      let account = ScenarioMarket.accounts[Int(order.account.rawValue)]
      let label = names.last {
        $0.account == order.account.rawValue && $0.nonce == order.nonce && $0.index == order.index
      }?.label
      return account + (label ?? "")
    }
    // Empty outside a trade: a settlement has no maker.
    var maker = ""
    output.forEach { record in
      switch record.kind {
      case .reply:
        guard let reply = try? ActionReply(decoding: record.payload) else { return events.append("odd reply") }
        let results = reply.results.map { $0.filled == .zero ? "\($0.outcome)" : "\($0.outcome) \($0.filled)" }
        replies.append((reply.isRepeated ? "again " : "") + results.joined(separator: ", "))
      case .report:
        guard let report = try? ExecutionReport(decoding: record.payload) else { return events.append("odd report") }
        switch report.event {
        case .fill where report.isMaker: maker = who(report.order)
        case .fill:
          let size = "\(abs(report.lots.count))@\(report.price)"
          events.append(maker.isEmpty ? "closed \(who(report.order)) \(size)" : "trade \(maker) \(size)")
          maker = ""
        case .ended: events.append("\(who(report.order)) \(report.outcome)")
        case .accepted: events.append("\(who(report.order)) \(report.outcome) \(report.remaining)")
        case .triggered: events.append("\(who(report.order)) triggered \(report.remaining)")
        }
      case .book:
        guard let delta = try? BookDelta(decoding: record.payload) else { return events.append("odd delta") }
        if let wrong = take(delta) { events.append(wrong) }
      case .status:
        guard let status = try? InstrumentStatus(decoding: record.payload) else { return events.append("odd status") }
        let letter = ScenarioMarket.letters[Int(status.instrument.rawValue)]
        let crossing = status.price == .zero ? "" : " \(status.volume)@\(status.price) \(status.imbalance)"
        events.append("\(letter) \(status.state)\(crossing)")
      case .stream: if let word = word(record.payload) { events.append(word) }
      case .effect: events.append("effect")
      }
    }
    let all = replies + events
    return all.isEmpty ? "nothing" : all.joined(separator: " | ")
  }

  private mutating func word(_ payload: UnsafeRawBufferPointer) -> String? {
    var body = ByteReader(payload)
    func name(_ account: AccountID) -> String { ScenarioMarket.accounts[Int(account.rawValue)] }
    switch MessageKind(rawValue: body.u8()) {
    case .fill:
      let fill = Fill(from: &body)
      positions["\(fill.account)/\(fill.instrument)", default: 0] += fill.lots.count
      return fill.fee == .zero ? nil : "fee \(fill.fee)"
    case .creditTaken:
      let taken = CreditTaken(from: &body)
      return "took \(name(taken.account)) \(taken.ceiling) used \(taken.consumed)"
    case .creditRequest:
      let request = CreditRequest(from: &body)
      return "request \(request.request) charge \(request.charge) short \(request.shortfall)"
    case .freezeTaken: return "frozen \(name(FreezeTaken(from: &body).account))"
    case .liquidationResult:
      let result = LiquidationResult(from: &body)
      return "liquidation \(result.outcome) \(result.filled)"
    case .grantClosed:
      let closed = GrantClosed(from: &body)
      return "grant \(closed.wasUsed ? "used" : "unused") \(closed.ceiling) \(closed.consumed)"
    case .protectionTripped:
      let tripped = ProtectionTripped(from: &body)
      let length = (tripped.until.nanoseconds - ScenarioMarket.start.nanoseconds) / 1_000_000
      return "tripped \(name(tripped.account)) until \(tripped.until == .never ? "reset" : "+\(length)")"
    case .heartbeat: return "beat"
    case .commitment: return "commitment \(Commitment(from: &body).seal.epoch)"
    default: return "odd message"
    }
  }

  /// Takes a delta into the copy; says what is wrong with it.
  private mutating func take(_ delta: BookDelta) -> String? {
    let instrument = delta.instrument.rawValue
    sequences[instrument, default: 0] += 1
    let known = shown.firstIndex { $0.number == delta.order && $0.instrument == delta.instrument }
    let before = known.map { shown[$0].lots } ?? 0
    if (known == nil) != (delta.event == .added) { return "a delta of an unknown order" }
    if let known { shown.remove(at: known) }
    if delta.orderLots != .zero {
      let order = Shown(
        number: delta.order, instrument: delta.instrument, side: delta.side, price: delta.price,
        lots: delta.orderLots.count)
      shown.insert(order, at: known ?? shown.count)
    }
    let change = UInt64(bitPattern: delta.orderLots.count - before)
    checksums[instrument, default: 0] &+= change &* BookDelta.weight(of: delta.side, delta.price)
    if delta.sequence != sequences[instrument] { return "a gap in the deltas" }
    if delta.checksum != checksums[instrument] { return "a wrong checksum" }
    let level = shown.filter {
      $0.instrument == delta.instrument && $0.side == delta.side && $0.price == delta.price
    }.reduce(0) { $0 + $1.lots }
    return level == delta.lots.count ? nil : "a wrong level"
  }

  /// Bids and asks, best first, each order by itself: `3@99 2@98 / 4@101`.
  func book(_ instrument: InstrumentID) -> String {
    Side.allCases.map { side in
      let orders = shown.filter { $0.instrument == instrument && $0.side == side }.sorted {
        if $0.price == $1.price { return $0.number < $1.number }
        return side == .buy ? $0.price > $1.price : $0.price < $1.price
      }
      return orders.isEmpty ? "none" : orders.map { "\($0.lots)@\($0.price)" }.joined(separator: " ")
    }.joined(separator: " / ")
  }

  func position(_ account: UInt32, _ instrument: InstrumentID) -> Int64 {
    positions["\(AccountID(account))/\(instrument)"] ?? 0
  }
}
