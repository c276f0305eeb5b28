import Bytes
import Machine
import Market

// New instruments: signed by the operator, taken up here first, then told to every shard and to the coordinator.
extension RiskMachine {
  /// One signed listing. What cannot be read as one has no one to be answered to; one that is not the operator's leaves
  /// the nonce unused.
  ///
  /// - Parameter isPutAside: the listing is in quarantine: it only spends its nonce.
  mutating func list(
    _ header: InputHeader, _ payload: UnsafeRawBufferPointer, isPutAside: Bool, into output: inout OutputBuffer
  ) {
    guard let listing = try? SignedListing(decoding: payload) else {
      refusals &+= 1
      return
    }
    if let refusal = ListingDigest(parameters).refusal(of: listing) {
      refusals &+= 1
      answer(LastListing(listing, header, at: now, outcome: refusal), isRepeated: false, header, into: &output)
      return
    }
    guard listing.nonce > lastListing.nonce else {
      let isRepeated =
        listing.nonce == lastListing.nonce && LastListing.hash(listing.instrument) == lastListing.hash
      let reused = LastListing(listing, header, at: now, outcome: .nonceReused)
      answer(isRepeated ? lastListing : reused, isRepeated: isRepeated, header, into: &output)
      return
    }
    let refusal = isPutAside ? .quarantined : board.refusal(of: listing.instrument, at: now)
    if refusal == nil {
      board.list(listing.instrument)
      ledgers.list()
      let message = InstrumentListing(instrument: listing.instrument)
      sendToShards(message, into: &output)
      output.send(message, to: .settlement, &streams)
    }
    lastListing = LastListing(listing, header, at: now, outcome: refusal ?? .applied)
    answer(lastListing, isRepeated: false, header, into: &output)
  }

  private func answer(
    _ listing: LastListing, isRepeated: Bool, _ header: InputHeader, into output: inout OutputBuffer
  ) {
    let reply = ActionReply(
      machine: id, account: .house, key: .owner, nonce: listing.nonce, term: listing.term,
      sequence: listing.sequence, stamp: listing.stamp, isRepeated: isRepeated,
      results: [.init(outcome: listing.outcome)])
    output.reply(reply, to: header.sequence)
  }
}

extension RiskBoard {
  /// Why an instrument cannot be listed; the first reason that holds.
  func refusal(of instrument: Instrument, at stamp: Timestamp) -> Outcome? {
    guard Int(instrument.id.rawValue) == definition.instruments.count else { return .notNextInstrument }
    guard isNameFree(of: instrument) else { return .nameTaken }
    guard Int(instrument.underlying.rawValue) < definition.underlyings.count else { return .unknownUnderlying }
    let currency = Int(instrument.settlementCurrency.rawValue)
    guard currency < definition.currencies.count else { return .unknownCurrency }
    let coin = instrument.settlement == .linear ? nil : instrument.underlying
    guard definition.currencies[currency].underlying == coin,
      instrument.kind.isOption == (instrument.strike > .zero), instrument.strike >= .zero,
      (instrument.kind == .perpetual) == (instrument.expiry == .never)
    else { return .unsupportedCombination }
    guard hostsOnly(instrument.underlying, instrument.shard) else { return .wrongShard }
    return instrument.expiry > stamp ? nil : .instrumentExpired
  }

  /// The name is there and nobody else's; so is the asset with its sub-id, unless both are zero.
  private func isNameFree(of instrument: Instrument) -> Bool {
    let isAnonymous = instrument.asset == .zero && instrument.subID == .zero
    return !instrument.name.isEmpty
      && definition.instruments.allSatisfy {
        $0.name != instrument.name
          && (isAnonymous || $0.asset != instrument.asset || $0.subID != instrument.subID)
      }
  }

  /// The shard exists, and whatever it hosts is of the underlying.
  private func hostsOnly(_ underlying: UnderlyingID, _ shard: ShardID) -> Bool {
    shard.rawValue < definition.shardCount
      && hosts.indices.allSatisfy { $0 == Int(underlying.rawValue) || !hosts[$0].contains(shard) }
  }
}
