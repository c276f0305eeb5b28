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
  public var nonce: UInt64
  public var index: UInt16
  public var instrument: String
  public var side: String
  public var quantity: String
  /// Absent for a market order.
  public var price: String?
  public var filled: String
  public var fills: [Fill]
  /// Where its acknowledgement stands; absent when it reached no journal.
  public var machine: String?
  public var term: UInt32?
  public var sequence: UInt64?
  /// What a refusal means; absent for an accepted order.
  public var reason: String?

  public var isGood: Bool { isAccepted }

  /// Seconds in which the exchange must answer, and in which reports of what was answered must come.
  private static let answerSeconds = 10.0
  private static let reportSeconds = 2.0
  /// An order may wait so long for credit.
  private static let heldSeconds = 5.0

  /// Signs the order, sends it, and follows it for `waitSeconds` or until it is open no more.
  public init(_ ticket: OrderTicket, in session: ClusterSession, waitSeconds: Double) throws {
    try ticket.validate()
    let listed = try session.instrument(named: ticket.instrument)
    let operation = try ticket.operation(on: listed)
    let credentials = try session.store.load(ticket.account)
    let nonce = ActionSubmission.nonce()
    let action = try ActionSigning(market: session.market).signedBatch(
      [operation], account: ticket.account, nonce: nonce, expiry: ActionSubmission.expiry(),
      underlying: listed.underlying, key: credentials.key)
    let submission = ActionSubmission(try session.gateway())
    let answer = try submission.submit(
      action.encoded, account: ticket.account, nonce: nonce, seconds: Self.answerSeconds)

    let name = OrderID(account: ticket.account, key: .owner, nonce: nonce, index: 0)
    order = name.text
    (self.nonce, index) = (nonce, 0)
    instrument = listed.name
    side = "\(ticket.side)"
    quantity = ticket.quantity.description
    price = ticket.price?.description
    var last: Outcome
    var lots = Lots.zero
    switch answer {
    case .refusal(let refusal):
      last = refusal.outcome
      reason = refusal.reason
    case .reply(let reply):
      last = reply.results.first?.outcome ?? .malformed
      lots = reply.results.first?.filled ?? .zero
      machine = reply.machine.description
      term = reply.term.rawValue
      sequence = reply.sequence.rawValue
    }
    if last == .held {
      submission.gather(seconds: Self.heldSeconds) { $0.contains { $0.order == name && $0.event != .fill } }
    }
    submission.gather(seconds: Self.reportSeconds) { Self.filledLots($0, of: name) >= lots }
    let wanted = ticket.quantity.units / listed.lotSize.units
    if waitSeconds > 0, last == .resting || last == .held {
      submission.gather(seconds: waitSeconds) { reports in
        Self.filledLots(reports, of: name).count >= wanted
          || reports.contains { $0.order == name && $0.event == .ended }
      }
    }
    fills = []
    for report in submission.reports where report.order == name {
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
    lots = max(lots, Self.filledLots(submission.reports, of: name))
    if lots.count >= wanted, last.isAccepted { last = .filled }
    filled = listed.quantity(lots)?.description ?? "\(lots) lots"
    outcome = last.name
    code = last.rawValue
    isAccepted = last.isAccepted
    if !isAccepted, reason?.isEmpty ?? true { reason = last.text }
  }

  private static func filledLots(_ reports: [ExecutionReport], of order: OrderID) -> Lots {
    reports.reduce(.zero) { $0 + ($1.order == order && $1.event == .fill ? $1.lots : .zero) }
  }

  public var text: String {
    var lines = ["order \(order)  \(side) \(quantity) \(instrument) \(price.map { "at \($0)" } ?? "at the market")"]
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
