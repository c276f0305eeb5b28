import Bytes
import Market

/// Which one machine an action is for.
enum ActionRouting {
  struct Refused: Error {
    var outcome: Outcome
    /// Names the field and the rule.
    var reason: String
  }

  /// A withdrawal goes to risk; anything else to the shard of its instruments, which must be one.
  static func machine(
    for header: SignedActionHeader, _ operations: UnsafeRawBufferPointer, in market: MarketDefinition
  ) -> Result<MachineID, Refused> {
    if header.module == .withdrawal { return .success(.risk) }
    var shard: ShardID?
    for index in 0..<Int(header.operationCount) {
      let operation = operations.loadUnaligned(fromByteOffset: index * Operation.byteCount, as: Operation.self)
      if operation.kind == .cancelAll, operation.instrument == Operation.allInstruments { continue }
      guard let instrument = market[operation.instrument] else {
        return .failure(
          Refused(
            outcome: .unknownInstrument,
            reason: "operations[\(index)].instrument: \(operation.instrument) is not listed"))
      }
      if let shard, shard != instrument.shard {
        return .failure(
          Refused(
            outcome: .wrongShard,
            reason: "operations[\(index)].instrument: \(instrument.name) lies in shard \(instrument.shard), "
              + "those before it in shard \(shard); one action is for one shard"))
      }
      shard = instrument.shard
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
