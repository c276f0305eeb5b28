import Market
import Wire

/// A resting order made smaller in its place.
public struct OrderAmendment: CommandReport {
  public var account: UInt32
  public var order: String
  public var instrument: String
  /// What was asked to stay open.
  public var quantity: String
  public var outcome: String
  public var code: UInt16
  public var isAccepted: Bool
  public var machine: String?
  public var term: UInt32?
  public var sequence: UInt64?
  public var reason: String?

  public var isGood: Bool { isAccepted }

  public init(_ target: OrderTarget, to quantity: Quantity, account: AccountID, in session: ClusterSession) throws {
    let signer = try session.store.load(account)
    let listed = try target.find(account: account, in: session).listed
    try listed.checkPart(quantity, of: Quantity(units: .max), "--quantity")
    var operation = Market.Operation(kind: .amend, instrument: listed.id, quantity: quantity)
    target.aim(&operation)
    let batch = try SignedBatch(
      [operation], by: signer, to: listed.shard, in: session, through: ActionSubmission(session.gateway()))
    let last = batch.results(1)[0].outcome
    self.account = account.rawValue
    order = target.text(account: account)
    instrument = listed.name
    self.quantity = quantity.description
    outcome = last.name
    code = last.rawValue
    isAccepted = last.isAccepted
    machine = batch.reply?.machine.description
    term = batch.reply?.term.rawValue
    sequence = batch.reply?.sequence.rawValue
    reason = batch.reason(of: last)
  }

  public var text: String {
    var lines = ["order \(order)  \(instrument), \(quantity) to stay open"]
    lines.append("outcome \(code) \(outcome)\(reason.map { ": \($0)" } ?? "")")
    if let machine, let term, let sequence { lines.append("journal \(machine), term \(term), sequence \(sequence)") }
    return lines.joined(separator: "\n")
  }
}
