import Bytes
import Market
import Settlement
import Testing

@Suite struct ValuationTests {
  /// Index 100,000 for BTC and 4,000 for ETH; lots as in `Fixture`.
  private func world(_ change: @escaping (inout Commitment, AccountID, AccountID) -> Void) -> (World, AccountLeaf) {
    let world = World()
    let alice = world.deposit(1, 0, 1_000 * fixedPointScale)
    let bob = world.deposit(2, 0, 1_000 * fixedPointScale)
    world.epoch { change(&$0, alice, bob) }
    return (world, world.machine.leaf(of: alice)!.leaf)
  }
  private let shard0 = MachineID.shard(ShardID(0))

  @Test func aLinearPositionIsWorthItsQuantityTimesTheMark() {
    let (_, leaf) = world { commitment, alice, bob in
      if commitment.machine == self.shard0 { commitment.trade(alice, bob, 0, 3) }
      if commitment.machine == .risk { commitment.mark(0, Price(whole: 100_000)) }
    }
    // 3 lots of 0.001 at 100,000.
    #expect(leaf.equity == Money(whole: 1_300))
  }

  @Test func anInversePositionIsWorthMinusQuantityOverMark() {
    let (_, leaf) = world { commitment, alice, bob in
      if commitment.machine == self.shard0 {
        commitment.trade(alice, bob, 1, 10)
        commitment.move(alice, 1, 100_000)
        commitment.move(bob, 1, -100_000)
      }
      if commitment.machine == .risk { commitment.mark(1, Price(whole: 125_000)) }
    }
    // Bought 100 USD at 100,000: +0.001 BTC. At 125,000 the position is −0.0008 BTC: 0.0002 BTC × 100,000.
    #expect(leaf.equity == Money(whole: 1_020))
    #expect(leaf.ledger[1] == Money(units: 100_000))
  }

  @Test func equityIsRoundedDownOnce() {
    let (_, leaf) = world { commitment, alice, bob in
      if commitment.machine == self.shard0 {
        commitment.trade(alice, bob, 2, 1)
        commitment.move(alice, 2, -1)
        commitment.move(bob, 2, 1)
      }
      if commitment.machine == .risk {
        commitment.indices[1] = Price(units: 1)
        commitment.mark(2, Price(units: 5))
      }
    }
    // 0.1 × 5e-8 BTC is 0 units; −1e-8 ETH × 1e-8 USD rounds down to −1e-8 USD.
    #expect(leaf.equity == Money(units: 1_000 * fixedPointScale - 1))
  }

  @Test func whatHasNoMarkYetIsWorthNothing() {
    let (_, leaf) = world { commitment, alice, bob in
      if commitment.machine == self.shard0 { commitment.trade(alice, bob, 1, 1_000) }
      if commitment.machine == .risk { commitment.indices = [] }
    }
    #expect(leaf.equity == Money(whole: 1_000))
  }

  @Test func thePostedTotalCountsUsersAboveZeroOnly() throws {
    let world = World()
    let alice = world.deposit(1, 0, 100)
    let bob = world.deposit(2, 0, 50)
    world.epoch {
      guard $0.machine == .risk else { return }
      $0.move(alice, 0, 500)
      $0.move(bob, 0, -520)
      $0.move(.house, 0, 20)
    }
    #expect(world.machine.lastHeader?.totalPositiveEquity == Money(units: 600))
    #expect(world.machine.leaf(of: bob)?.leaf.equity == Money(units: -470))
    world.epoch {
      guard $0.machine == .risk else { return }
      $0.move(alice, 0, -480)
      $0.move(bob, 0, 480)
    }
    #expect(world.machine.lastHeader?.totalPositiveEquity == Money(units: 130))
  }

  @Test func everyLeafIsRewrittenWithinSixtyEpochs() {
    let world = World()
    for owner in 1...70 { world.deposit(UInt8(owner), 0, Int64(owner)) }
    var oldest: UInt32 = 0
    for epoch in 1...UInt32(190) {
      if epoch == 100 { for owner in 71...90 { world.deposit(UInt8(owner), 0, 5) } }
      world.epoch()
      let accounts = world.machine.status.accounts
      for account in 0..<UInt32(accounts) {
        let leaf = world.machine.leaf(of: AccountID(account))!.leaf
        oldest = max(oldest, epoch - leaf.marksEpoch.rawValue)
      }
      #expect(world.posts.last!.changed.count < 95)
      if epoch > 1, epoch != 100 { #expect(world.posts.last!.changed.count <= 2) }
    }
    #expect(oldest == 59)
    #expect(world.machine.status.accounts == 91)
  }
}
