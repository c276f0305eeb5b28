import Bytes
import Market
import Wire

/// An order that was sent, and what became of it.
public struct OrderPlacement: CommandReport {
  public struct Fill: Encodable, Sendable {
    /// The shard's number of the fill.
    public var number: UInt64
    public var price: String
    public var quantity: String
    /// In the instrument's settlement currency.
    public var fee: String
    public var isMaker: Bool
  }

  /// `resting`, `filled`, `residual_cancelled`, or why not.
  public var outcome: String
  public var code: UInt16
  public var isAccepted: Bool
  /// Account/key/nonce/index: the order's name for ever.
  public var order: String
  /// Absent where an order was named by its client id.
  public var nonce: UInt64?
  public var index: UInt16?
  public var instrument: String
  public var side: String
  public var quantity: String
  /// Absent for a market order.
  public var price: String?
  /// A stop's trigger price, or the distance that a trailing stop keeps; absent for others.
  public var triggerPrice: String?
  /// What the client calls it; absent where it gave no id, or no label.
  public var clientId: UInt64?
  public var label: UInt32?
  public var filled: String
  public var fills: [Fill]
  /// Where its acknowledgement stands; absent when it reached no journal.
  public var machine: String?
  public var term: UInt32?
  public var sequence: UInt64?
  /// What a refusal means; absent for an accepted order.
  public var reason: String?

  public var isGood: Bool { isAccepted }

  /// Seconds in which reports of what was answered must come.
  private static let reportSeconds = 2.0
  /// An order may wait so long for credit, or for one that is still trading.
  private static let heldSeconds = 5.0

  /// Signs the order, sends it, and follows it for `waitSeconds` or until it is open no more.
  /// - Parameter target: the resting order that it replaces, whose name it takes.
  public init(
    _ ticket: OrderTicket, replacing target: OrderTarget? = nil, in session: ClusterSession, waitSeconds: Double
  ) throws {
    try ticket.validate()
    let listed = try session.instrument(named: ticket.instrument)
    var operation = try ticket.operation(on: listed)
    if let target {
      operation.rawKind = Market.Operation.Kind.replace.rawValue
      target.aim(&operation)
    }
    let submission = ActionSubmission(try session.gateway())
    let batch = try SignedBatch(
      [operation], by: session.store.load(ticket.account), to: listed.shard, in: session, through: submission)

    let reported = Reported(target, ticket.account, batch)
    order = target?.text(account: ticket.account) ?? reported.name?.text ?? ""
    (nonce, index) = (reported.name?.nonce, reported.name?.index)
    instrument = listed.name
    side = "\(ticket.side)"
    quantity = ticket.quantity.description
    price = ticket.price?.description
    triggerPrice = (ticket.trail ?? ticket.triggerPrice)?.description
    clientId = ticket.clientID
    label = ticket.label
    let result = batch.results(1)[0]
    var last = result.outcome
    var lots = result.filled
    machine = batch.reply?.machine.description
    term = batch.reply?.term.rawValue
    sequence = batch.reply?.sequence.rawValue
    reason = batch.refusalReason
    if last == .held || last == .queued || last == .sweeping {
      submission.gather(seconds: Self.heldSeconds) { $0.contains { reported.holds($0) && $0.event != .fill } }
    }
    submission.gather(seconds: Self.reportSeconds) { reported.lots($0) >= lots }
    let wanted = ticket.quantity.units / listed.lotSize.units
    if waitSeconds > 0, Self.open.contains(last) {
      submission.gather(seconds: waitSeconds) { reports in
        reported.lots(reports).count >= wanted || reports.contains { reported.holds($0) && $0.event == .ended }
      }
    }
    fills = []
    for report in submission.reports where reported.holds(report) {
      if report.event == .fill {
        fills.append(
          Fill(
            number: report.fillNumber, price: report.price.description,
            quantity: listed.quantity(report.lots)?.description ?? "", fee: report.fee.description,
            isMaker: report.isMaker))
      } else {
        last = report.outcome
      }
    }
    lots = max(lots, reported.lots(submission.reports))
    if lots.count >= wanted, last.isAccepted { last = .filled }
    filled = listed.quantity(lots)?.description ?? "\(lots) lots"
    outcome = last.name
    code = last.rawValue
    isAccepted = last.isAccepted
    if !isAccepted, reason?.isEmpty ?? true { reason = last.text }
  }

  /// Outcomes of an order that may still trade.
  private static let open: Set<Outcome> = [.resting, .amended, .held, .armed, .queued, .sweeping]

  /// Which reports are the order's: by its name, or, where only the client's id for it is known, what it took in the
  /// step of its answer.
  private struct Reported {
    var name: OrderID?
    var sequence: SequenceNumber?
    init(_ target: OrderTarget?, _ account: AccountID, _ batch: SignedBatch) {
      switch target {
      case nil: name = OrderID(account: account, key: .owner, nonce: batch.nonce, index: 0)
      case .name(let nonce, let index, _): name = OrderID(account: account, key: .owner, nonce: nonce, index: index)
      case .clientID: sequence = batch.reply?.sequence
      }
    }
    func holds(_ report: ExecutionReport) -> Bool {
      if let name { return report.order == name }
      return report.sequence == sequence && report.event == .fill && !report.isMaker
    }
    func lots(_ reports: [ExecutionReport]) -> Lots {
      reports.reduce(.zero) { $0 + (holds($1) && $1.event == .fill ? $1.lots : .zero) }
    }
  }

  public var text: String {
    let limit = price.map { "at \($0)" } ?? "at the market"
    let trigger = triggerPrice.map { ", trigger \($0)" } ?? ""
    var lines = ["order \(order)  \(side) \(quantity) \(instrument) \(limit)\(trigger)"]
    lines.append("outcome \(code) \(outcome)\(reason.map { ": \($0)" } ?? "")\(isAccepted ? ", filled \(filled)" : "")")
    for fill in fills {
      lines.append(
        "  fill \(fill.number): \(fill.quantity) at \(fill.price), fee \(fill.fee)\(fill.isMaker ? ", resting" : "")")
    }
    if let machine, let term, let sequence { lines.append("journal \(machine), term \(term), sequence \(sequence)") }
    return lines.joined(separator: "\n")
  }
}

extension OrderID {
  /// account/key/nonce/index.
  var text: String { "\(account)/\(key)/\(nonce)/\(index)" }
}
