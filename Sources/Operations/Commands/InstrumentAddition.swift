import Bytes
import Clearing
import Cluster
import Foundation
import Listing
import Market
import Wire

/// Instruments that the operator has listed in a running market, and whether they can be traded by now.
public struct InstrumentAddition: CommandReport {
  public struct Added: Encodable, Sendable {
    public var name: String
    /// Its number in the market.
    public var id: UInt32
    public var shard: UInt16
    public var outcome: String
    public var code: UInt16
    public var isAccepted: Bool
    /// Where the listing stands in risk's journal; absent when it reached none.
    public var sequence: UInt64?
    /// Gateway and shard know it.
    public var isServed = false
    /// Its shard has a mark for it: orders are taken.
    public var isMarked = false
    /// What a refusal means; absent for what is listed.
    public var reason: String?
  }
  public var instruments: [Added]

  public var isGood: Bool { instruments.allSatisfy { $0.isAccepted && $0.isServed } }

  /// Seconds in which what is listed must be known to all, and marked.
  private static let servedSeconds = 5.0
  private static let answerSeconds = 10.0

  /// Signs and lists one contract after the other; the first refusal ends it.
  public init(_ contracts: [NewContract], in session: ClusterSession) throws {
    // Every name is read before anything is signed.
    var market = try session.market
    var listed: [Instrument] = []
    for contract in contracts {
      let instrument: Instrument
      do {
        instrument = try contract.instrument(in: market, now: MachineClock.wall())
      } catch {
        throw CommandMistake("\(error.value.isEmpty ? contract.name : error.value): \(error.rule)")
      }
      market.instruments.append(instrument)
      listed.append(instrument)
    }
    let signer = try session.operatorCredentials()
    let digest = ListingDigest(market.parameters)
    let submission = ActionSubmission(try session.gateway())
    instruments = []
    for instrument in listed {
      let nonce = ActionSubmission.nonce()
      let listing = digest.listing(instrument, nonce: nonce, key: signer.key)
      let answer = try submission.submit(
        listing.encoded, account: .house, nonce: nonce, seconds: Self.answerSeconds)
      var added = Added(instrument, answer)
      if added.isAccepted {
        let deadline = Date().addingTimeInterval(Self.servedSeconds)
        while !(added.isServed && added.isMarked), Date() < deadline {
          added.isServed = Self.isServed(instrument, in: session)
          added.isMarked = Self.isMarked(instrument, in: session)
          usleep(50_000)
        }
      }
      instruments.append(added)
      if !added.isAccepted { break }
    }
    session.forgetMarket()
  }

  /// The gateway routes it, and its shard has a book for it.
  private static func isServed(_ instrument: Instrument, in session: ClusterSession) -> Bool {
    session.forgetMarket()
    guard let market = try? session.market, market[instrument.id] != nil else { return false }
    return (try? session.ask(.bookLevels, .shard(instrument.shard), instrument.id.encoded)) != nil
  }

  private static func isMarked(_ instrument: Instrument, in session: ClusterSession) -> Bool {
    guard let answer = try? session.ask(.marks, .shard(instrument.shard), instrument.shard.encoded),
      let marks = try? ShardMarks(decoding: answer)
    else { return false }
    return marks.entries.contains { $0.instrument == instrument.id }
  }

  public var text: String {
    instruments.map { added in
      guard added.isAccepted else { return "\(added.name): \(added.code) \(added.outcome): \(added.reason ?? "")" }
      let state =
        !added.isServed
        ? "not served yet: see novation status"
        : added.isMarked ? "open" : "no mark yet: orders are refused until there is one; see the log of marks"
      return "\(added.name): listed as number \(added.id) in shard \(added.shard), \(state)"
    }.joined(separator: "\n")
  }
}

extension InstrumentAddition.Added {
  init(_ instrument: Instrument, _ answer: ActionSubmission.Answer) {
    let outcome: Outcome
    var words: String?
    switch answer {
    case .reply(let reply):
      outcome = reply.results.first?.outcome ?? .malformed
      sequence = reply.sequence.rawValue
    case .refusal(let refusal):
      outcome = refusal.outcome
      words = refusal.reason
    }
    name = instrument.name
    id = instrument.id.rawValue
    shard = instrument.shard.rawValue
    self.outcome = outcome.name
    code = outcome.rawValue
    isAccepted = outcome.isAccepted
    reason = outcome.isAccepted ? nil : words ?? outcome.text
  }
}
