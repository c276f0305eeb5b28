import Bytes
import Machine
import Market
import Testing

@testable import Clearing

@Suite struct InterleavingTests {
  @Test(arguments: 0..<12) func noCreditIsGrantedBeyondWhatIsFreeUnderAnyInterleaving(seed: UInt64) {
    var run = Interleaving(seed: seed, accounts: 6)
    for _ in 0..<4_000 { run.step(movesMarks: true) }
    run.drain()
    run.checkAtRest()
    #expect(run.breaches.isEmpty, "seed \(seed)")
    #expect(run.raises > 50)
  }

  @Test(arguments: 100..<112) func withoutMarkMovesNobodyEverFallsIntoDeficit(seed: UInt64) {
    var run = Interleaving(seed: seed, accounts: 4)
    for _ in 0..<3_000 {
      run.step(movesMarks: false)
    }
    run.drain()
    run.checkAtRest()
    #expect(run.breaches.isEmpty, "seed \(seed)")
    for account in run.accounts {
      let view = run.driver.view(account)
      let outstanding = view.credit.reduce(0) { $0 + $1.outstanding.units }
      #expect(view.standing!.free.units >= outstanding, "seed \(seed)")
    }
  }

  @Test func fallingMarksLiquidateAndALiquidationRestoresOrEmpties() {
    var liquidations = 0
    var postponed = 0
    var swept = 0
    for seed: UInt64 in 200..<208 {
      var run = Interleaving(seed: seed, accounts: 8)
      for round in 0..<3_000 {
        run.step(movesMarks: false)
        if round % 100 == 99 {
          run.index[0] = run.index[0] * 98 / 100
          run.index[1] = run.index[1] * 103 / 100
          run.mark()
        }
      }
      for _ in 0..<6_000 { run.step(movesMarks: false) }
      for _ in 0..<400 {
        run.drain()
        run.beat()
      }
      run.checkAtRest()
      #expect(run.breaches.isEmpty, "seed \(seed)")
      liquidations += run.liquidations / 4
      postponed += run.shards.reduce(0) { $0 + $1.stepsPostponed }
      swept += run.shards.reduce(0) { $0 + $1.stepsSwept }
      for account in run.accounts {
        let view = run.driver.view(account)
        #expect(!view.isFrozen, "seed \(seed) account \(account) \(view)")
        #expect(view.positions.isEmpty || !view.standing!.isBelowMaintenance)
      }
    }
    #expect(liquidations > 8)
    #expect(postponed > 8 && swept > 8, "\(postponed) postponed, \(swept) swept")
  }

  @Test func mostOrdersNeedNoRoundTrip() {
    var placed = 0
    var asked = 0
    for seed: UInt64 in 300..<304 {
      var run = Interleaving(seed: seed, accounts: 4)
      for account in run.accounts { run.deposit(account, 400_000) }
      run.largestOrder = 100
      for _ in 0..<4_000 { run.step(movesMarks: true) }
      placed += run.shards.reduce(0) { $0 + $1.ordersPlaced }
      asked += run.shards.reduce(0) { $0 + $1.requestsMade }
    }
    #expect(asked * 100 < placed, "\(asked) of \(placed)")
  }
}
