import Bytes
import Market

/// Which one machine an action is for.
struct ActionRouting {
  private var market: MarketDefinition
  /// The shard of each instrument, by its number: a whole instrument is too much to copy for every operation.
  private var shards: [ShardID]

  init(_ market: MarketDefinition) {
    self.market = market
    shards = market.instruments.map(\.shard)
  }

  /// Takes an instrument that joins the market.
  mutating func list(_ instrument: Instrument) {
    market.instruments.append(instrument)
    shards.append(instrument.shard)
  }

  struct Refused: Error {
    var outcome: Outcome
    /// Names the field and the rule.
    var reason: String
  }

  /// A withdrawal goes to risk; anything else to the shard of its instruments, which must be one, and the one that the
  /// client has named if it has named one.
  func machine(
    for header: SignedActionHeader, _ operations: UnsafeRawBufferPointer, named: ShardID? = nil
  ) -> Result<MachineID, Refused> {
    if header.account == .house, let refused = refusal(ofHouse: header, operations) { return .failure(refused) }
    if header.module == .withdrawal { return .success(.risk) }
    if let named, named.rawValue >= market.shardCount {
      return .failure(
        Refused(
          outcome: .wrongShard, reason: "shard: there is none of number \(named), only 0 to \(market.shardCount - 1)"))
    }
    var shard = named
    for index in 0..<Int(header.operationCount) {
      let operation = Self.operation(index, of: operations)
      guard Self.namesShard(operation) else { continue }
      let number = Int(operation.instrument.rawValue)
      guard number < shards.count else {
        return .failure(
          Refused(
            outcome: .unknownInstrument,
            reason: "operations[\(index)].instrument: \(operation.instrument) is not listed"))
      }
      let own = shards[number]
      if let shard, shard != own {
        return .failure(
          Refused(
            outcome: .wrongShard,
            reason: "operations[\(index)].instrument: \(market.instruments[number].name) lies in shard \(own), "
              + "\(named == nil ? "those before it in" : "the action was sent to") shard \(shard); "
              + "one action is for one shard"))
      }
      shard = own
    }
    guard let shard else {
      return .failure(
        Refused(
          outcome: .malformed,
          reason: "operations: none names an instrument and so a shard; name the shard beside the action"))
    }
    return .success(.shard(shard))
  }

  private static func operation(_ index: Int, of operations: UnsafeRawBufferPointer) -> Operation {
    operations.loadUnaligned(fromByteOffset: index * Operation.byteCount, as: Operation.self)
  }

  /// True for an operation on one instrument; others are about the account, or all of a shard.
  private static func namesShard(_ operation: Operation) -> Bool {
    switch operation.kind {
    case .cancelAll, .tradingState: operation.instrument != Operation.allInstruments
    case .protection, .resetProtection, .deadMan, .killSwitch: false
    case .new, .replace, .amend, .cancel, .withdraw, .quote, nil: true
    }
  }

  /// The house has no key of its own: the operator's signs for it, for trading states and kill switches alone.
  private func refusal(ofHouse header: SignedActionHeader, _ operations: UnsafeRawBufferPointer) -> Refused? {
    let operatorAddress = market.parameters.operatorAddress
    guard operatorAddress != .zero, header.owner == operatorAddress, header.signer == operatorAddress,
      header.key == .owner
    else {
      return Refused(outcome: .notAuthorised, reason: "account: 0 is the house, for which only the operator signs")
    }
    for index in 0..<Int(header.operationCount) {
      let kind = Self.operation(index, of: operations).kind
      guard header.module == .batch, kind == .tradingState || kind == .killSwitch else {
        return Refused(
          outcome: .notAuthorised,
          reason: "operations[\(index)].kind: the house may only send trading states and kill switches")
      }
    }
    return nil
  }
}
