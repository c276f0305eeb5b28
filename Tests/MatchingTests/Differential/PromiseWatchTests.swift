import Bytes
import Machine
import Market
import Testing

@testable import Matching

/// That the watch over promises hears what it is there for.
@Suite struct PromiseWatchTests {
  private static let name = OrderID(account: AccountID(1), key: .owner, nonce: 7, index: 0)

  private func heard(_ timeInForce: Market.Operation.TimeInForce, fillLeaving remaining: Int64) -> String? {
    var order = Market.Operation(
      kind: .new, side: .buy, instrument: InstrumentID(0), price: Price(whole: 1_000), quantity: Quantity(whole: 1))
    order.rawTimeInForce = timeInForce.rawValue
    let key = World.owner(1)
    let header = SignedActionHeader(
      module: .batch, operationCount: 1, account: AccountID(1), nonce: 7, expiry: 1, underlying: UnderlyingID(0),
      signer: key, owner: key, signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0))
    var output = OutputBuffer()
    output.report(
      ExecutionReport(
        event: .fill, shard: ShardID(0), sequence: SequenceNumber(1), stamp: World.start, order: Self.name,
        instrument: InstrumentID(0), outcome: .resting, remaining: Lots(remaining)))
    var watch = PromiseWatch()
    return watch.hear(
      RecordedInput(
        kind: .action, stamp: World.start, payload: SignedAction(header: header, operations: [order]).encoded), output)
  }

  @Test func aPartlyFilledFillOrKillIsHeard() {
    #expect(heard(.fillOrKill, fillLeaving: 3) != nil)
    #expect(heard(.fillOrKill, fillLeaving: 0) == nil)
    #expect(heard(.immediateOrCancel, fillLeaving: 3) == nil)
  }

  @Test func fillOrKillOrdersAreFilledWholeWhateverIsInTheirWay() throws {
    let mix = try #require(Mix.all.first { $0.allOrNothing != 0 })
    for seed in 0..<6 as Range<UInt64> {
      var source = RandomInputs(mix, seed: seed)
      var duel = Duel<ShardMachine, NaiveEngine>()
      for _ in 0..<8_000 {
        if let divergence = duel.step(source.next(deadline: duel.deadline)) {
          Issue.record("seed \(seed): \(divergence)")
          return
        }
      }
      #expect(duel.promises.kept > 20)
    }
  }
}
