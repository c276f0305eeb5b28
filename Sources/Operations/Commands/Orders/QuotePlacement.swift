import Bytes
import Market

/// Quotes that were sent, one atomic set a shard, and what became of each.
public struct QuotePlacement: CommandReport {
  public struct Quote: Encodable, Sendable {
    public var instrument: String
    public var outcome: String
    public var code: UInt16
    public var isAccepted: Bool
    /// account/key/nonce/index of a side that was asked for; absent where the side is left empty.
    public var bid: String?
    public var ask: String?
    public var machine: String
    public var reason: String?
  }

  public var account: UInt32
  public var quotes: [Quote]
  /// One a shard.
  public var parts: [ActionPart]

  public var isGood: Bool { quotes.allSatisfy(\.isAccepted) }

  /// - Parameter waitSeconds: to stay connected when the quotes stand: those that live with the session go after it.
  /// - Throws: `CommandMistake` for quotes that cannot be signed; nothing is sent then.
  public init(
    _ requests: [QuoteRequest], _ terms: QuoteRequest.Terms, account: AccountID, in session: ClusterSession,
    waitSeconds: Double = 0
  ) throws {
    let signer = try session.store.load(account)
    var sets: [(shard: ShardID, quotes: [(listed: Instrument, request: QuoteRequest, operation: Market.Operation)])] =
      []
    for request in requests {
      let listed = try session.instrument(named: request.instrument)
      let operation = try request.operation(on: listed, terms)
      if let place = sets.firstIndex(where: { $0.shard == listed.shard }) {
        sets[place].quotes.append((listed, request, operation))
      } else {
        sets.append((listed.shard, [(listed, request, operation)]))
      }
    }
    for set in sets where set.quotes.count > SignedActionHeader.maximumOperations {
      throw CommandMistake(
        "\(set.quotes.count) quotes of shard \(set.shard): one set holds at most "
          + "\(SignedActionHeader.maximumOperations); send them in several")
    }
    self.account = account.rawValue
    quotes = []
    parts = []
    let submission = ActionSubmission(try session.gateway())
    for set in sets {
      let batch = try SignedBatch(
        set.quotes.map(\.operation), by: signer, to: set.shard, in: session, through: submission)
      parts.append(ActionPart(batch, operations: set.quotes.count))
      for (index, (quote, result)) in zip(set.quotes, batch.results(set.quotes.count)).enumerated() {
        func name(_ bit: UInt16) -> String {
          OrderID(account: account, key: .owner, nonce: batch.nonce, index: UInt16(index) | bit).text
        }
        quotes.append(
          Quote(
            instrument: quote.listed.name, outcome: result.outcome.name, code: result.outcome.rawValue,
            isAccepted: result.outcome.isAccepted, bid: quote.request.bid.map { _ in name(0) },
            ask: quote.request.ask.map { _ in name(Market.Operation.askIndexBit) },
            machine: MachineID.shard(set.shard).description, reason: batch.reason(of: result.outcome)))
      }
    }
    submission.gather(seconds: waitSeconds) { _ in false }
  }

  public var text: String {
    var lines = ["\(quotes.count) quote\(quotes.count == 1 ? "" : "s") of account \(account)"]
    for quote in quotes {
      let sides = [quote.bid.map { "bid \($0)" }, quote.ask.map { "ask \($0)" }].compactMap(\.self)
      lines.append(
        "  \(quote.instrument): \(quote.code) \(quote.outcome)\(quote.reason.map { ": \($0)" } ?? "")"
          + (quote.isAccepted && !sides.isEmpty ? ", \(sides.joined(separator: ", "))" : ""))
    }
    return (lines + parts.map(\.line)).joined(separator: "\n")
  }
}
