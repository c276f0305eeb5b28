import Bytes
import Market

/// Which one machine an action is for.
struct ActionRouting {
  private let market: MarketDefinition
  /// The shard of each instrument, by its number: a whole instrument is too much to copy for every operation.
  private let shards: [ShardID]

  init(_ market: MarketDefinition) {
    self.market = market
    shards = market.instruments.map(\.shard)
  }

  struct Refused: Error {
    var outcome: Outcome
    /// Names the field and the rule.
    var reason: String
  }

  /// A withdrawal goes to risk; anything else to the shard of its instruments, which must be one.
  func machine(
    for header: SignedActionHeader, _ operations: UnsafeRawBufferPointer
  ) -> Result<MachineID, Refused> {
    if header.module == .withdrawal { return .success(.risk) }
    var shard: ShardID?
    for index in 0..<Int(header.operationCount) {
      let operation = operations.loadUnaligned(fromByteOffset: index * Operation.byteCount, as: Operation.self)
      if operation.kind == .cancelAll, operation.instrument == Operation.allInstruments { continue }
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
              + "those before it in shard \(shard); one action is for one shard"))
      }
      shard = own
    }
    guard let shard else {
      return .failure(
        Refused(
          outcome: .malformed,
          reason: "operations: a cancel-all of every instrument needs another operation that names the shard"))
    }
    return .success(.shard(shard))
  }
}
