import Bytes
import Clearing
import Cluster
import Logging
import Market
import Wire

/// Instruments that join the market while it runs: the operator's word on its way to risk, and what risk made of it.
extension GatewayNode {
  /// Hands a listing that the operator has signed to risk.
  func submitListing(_ bytes: UnsafeRawBufferPointer, from identity: [UInt8]) {
    guard let listing = try? SignedListing(decoding: bytes) else {
      return refuse((.house, .owner, 0), .malformed, "the bytes are not a signed listing", identity)
    }
    let name = (account: AccountID.house, key: KeyID.owner, nonce: listing.nonce)
    if let refusal = ListingDigest(market.parameters).refusal(of: listing) {
      return refuse(name, refusal, "signature: only the operator lists instruments", identity)
    }
    guard let index = backs.firstIndex(where: { $0.machine == .risk }) else {
      return refuse(name, .shardUnavailable, "no such machine", identity)
    }
    Frame.begin(.submit, in: &frame)
    frame.blob(bytes)
    forward(name, to: index, identity)
  }

  /// Asks risk for what it has listed. Whatever it answers is durable there: orders on it can be routed.
  func askForListings() {
    guard let index = backs.firstIndex(where: { $0.machine == .risk }) else { return }
    Frame.write(.query, Query.listings(beyond: market, tag: Self.listingsTag), in: &frame)
    _ = backs[index].link.offer(frame.bytes)
  }

  func takeListings(_ answer: Answer) {
    guard answer.isAnswered, let listings = try? Listings(decoding: answer.body) else { return }
    let added = market.take(listings)
    if !added.isEmpty { take(added) }
    guard !knowsListings else { return }
    knowsListings = true
    for question in marketQuestions { self.answer(question.tag, encodedMarket, question.identity) }
    marketQuestions = []
  }

  private func take(_ added: [Instrument]) {
    for instrument in added {
      routing.list(instrument)
      log.info("listed", metadata: ["instrument": "\(instrument.name)", "shard": "\(instrument.shard)"])
    }
    signing = ActionSigning(market: market)
    encodedMarket = market.encoded
  }

  /// Most questions for the market that wait for risk.
  private static let mostMarketQuestions = 4_096

  /// Says what the market is, as soon as nothing can be missing from it.
  func answerMarket(_ tag: UInt64, _ identity: [UInt8]) {
    if knowsListings { return answer(tag, encodedMarket, identity) }
    guard marketQuestions.count < Self.mostMarketQuestions else {
      return answer(tag, [UInt8]("risk has not said yet what is listed".utf8), identity, false)
    }
    marketQuestions.append((tag, identity))
  }
}
