import Bytes
import Machine
import Market
import Settlement
import Testing

@Suite struct CoordinatorTests {
  @Test func anEpochIsSealedWhenItsLengthHasPassed() {
    let world = World()
    let start = world.now
    #expect(world.machine.epoch == Epoch(1))
    #expect(world.machine.nextDeadline == start + world.market.parameters.heartbeatInterval)
    world.now = start + .milliseconds(999)
    world.input(.tick)
    #expect(!world.wantsSeal)
    #expect(world.machine.nextDeadline == start + .milliseconds(1_000))
    world.now = start + .milliseconds(1_000)
    world.input(.tick)
    #expect(world.wantsSeal)
    #expect(world.machine.nextDeadline > world.now)
    world.sealIfWanted()
    #expect(world.machine.epoch == Epoch(2))
    #expect(!world.wantsSeal)
  }

  @Test func aSealThatWasNotAskedForChangesNothing() {
    let world = World()
    let seal = world.emptyCommitment(.risk, 1).seal
    world.input(.seal, seal.encoded)
    #expect(world.machine.epoch == Epoch(1))
    world.now = world.now + .seconds(1)
    world.input(.tick)
    world.input(.seal, world.emptyCommitment(.risk, 2).seal.encoded)
    #expect(world.machine.epoch == Epoch(1))
  }

  @Test func aMarketWhoseQuorumIsImpossibleIsNotTakenUp() {
    for (quorum, verifiers): (UInt16, Int) in [(2, 1), (0, 1), (0, 0)] {
      let world = World(Fixture.market(quorum: quorum, verifiers: verifiers))
      #expect(world.machine.epoch == Epoch(0))
      #expect(world.machine.nextDeadline == .never)
    }
    #expect(World().machine.epoch == Epoch(1))
  }

  @Test func everyMachineHearsOfANewEpochAndOfItsSilence() {
    let world = World()
    let interval = world.market.parameters.heartbeatInterval
    world.now = world.now + interval
    world.input(.tick)
    world.sealEpoch()
    for machine in world.market.committingMachines {
      let heartbeats = world.messages(Heartbeat.self, to: machine)
      #expect(heartbeats.map(\.number) == Array(1...UInt64(heartbeats.count)))
      #expect(heartbeats.count == 3)
      #expect(heartbeats.last?.stamp == world.now)
    }
  }

  @Test func anEpochIsPostedOnlyOnTopOfThePreviousRoot() {
    let world = World()
    let alice = world.deposit(1, 0, 1_000)
    let bob = world.deposit(2, 1, 50)
    var previous = Vault.genesisRoot
    for round in 1...6 {
      world.epoch { commitment in
        if round > 1, commitment.machine == .risk { commitment.move(alice, 0, 7) }
        if round > 1, commitment.machine == .risk { commitment.move(bob, 0, -7) }
      }
      #expect(world.posts.count == round)
      #expect(world.posts.last?.header.previousRoot == previous)
      #expect(world.posts.last?.header.epoch == Epoch(UInt32(round)))
      previous = world.machine.root
      #expect(world.vault.postedRoot == previous)
      #expect(world.machine.lastFinalRoot == previous)
      #expect(world.machine.lastFinalEpoch == Epoch(UInt32(round)))
    }
    #expect(world.messages(EpochFinal.self, to: .risk).map(\.epoch.rawValue) == [1, 2, 3, 4, 5, 6])
    #expect(world.machine.stopReason == nil)
    #expect(world.machine.leaf(of: alice)?.leaf.ledger[0] == Money(units: 1_035))
  }

  @Test func aDepositReachesRiskOnceAndInOrder() {
    let world = World()
    func deposit(_ number: UInt64) -> SettlementEvent {
      .deposit(
        Deposit(
          number: number, account: AccountID(UInt32(number)), owner: Fixture.owner(UInt8(number)), currency: .usd,
          amount: Money(units: 5)))
    }
    for number: UInt64 in [2, 1, 1, 3, 2, 1] { world.event(deposit(number)) }
    #expect(world.messages(Deposit.self, to: .risk).map(\.number) == [1, 2])
    #expect(world.machine.nextDeposit == 3)
    world.event(deposit(3))
    #expect(world.messages(Deposit.self, to: .risk).map(\.number) == [1, 2, 3])
    #expect(world.machine.stopReason == nil)
  }

  @Test func aDepositAgainstTheVaultsRulesStopsPosting() {
    let good = Deposit(
      number: 1, account: AccountID(1), owner: Fixture.owner(1), currency: .usd, amount: Money(units: 1))
    var bad = [good, good, good, good, good]
    bad[0].amount = .zero
    bad[1].currency = Currency(3)
    bad[2].account = AccountID(2)
    bad[3].owner = .zero
    bad[4].account = .house
    for deposit in bad {
      let world = World()
      world.event(.deposit(deposit))
      #expect(world.machine.stopReason?.rule == .invalidDeposit)
      #expect(world.messages(Deposit.self, to: .risk).isEmpty)
    }
  }

  @Test func epochsMayBeOnTheWayTogetherAndArePostedInOrder() {
    let world = World()
    world.deposit(1, 0, 100)
    let commitments = (1...3).map { epoch in
      world.sealEpoch()
      return world.market.committingMachines.map { world.emptyCommitment($0, UInt32(epoch)) }
    }
    // Shard 1 runs ahead, risk lags; each stream is in order.
    for epoch in 0..<3 { world.send(commitments[epoch][1]) }
    for epoch in 0..<3 { world.send(commitments[epoch][0]) }
    #expect(
      world.machine.status.unfinished.map(\.phase) == Array(repeating: .collecting(missing: [.risk]), count: 3))
    for epoch in 0..<3 { world.send(commitments[epoch][2]) }
    let requests = world.effects(.attest, as: AttestationRequest.self)
    #expect(requests.map(\.epoch.rawValue) == [1, 2, 3])
    world.owed = []
    // Attested backwards: nothing is posted before the first epoch is.
    for request in requests.reversed() {
      #expect(world.posts.isEmpty)
      world.input(.attestation, world.attestation(0, request).encoded)
    }
    world.input(.tick)
    #expect(world.posts.map(\.header.epoch.rawValue) == [1], "the second waits until the layer holds the first")
    world.settle()
    #expect(world.posts.map(\.header.epoch.rawValue) == [1, 2, 3])
    #expect(world.vault.postedRoot == world.machine.root)
    #expect(world.machine.status.unfinished.isEmpty)
  }

  @Test func noEpochIsOpenedWhileMoreThanEightAreUnfinished() {
    let world = World()
    for _ in 0..<20 { world.sealEpoch() }
    #expect(world.machine.epoch == Epoch(10))
    #expect(!world.wantsSeal)
    world.commitAll(1)
    world.settle()
    #expect(world.wantsSeal)
    world.sealIfWanted()
    #expect(world.machine.epoch == Epoch(11))
    #expect(!world.wantsSeal)
  }

  @Test func finalityOfALaterEpochIsFinalityOfThoseBefore() {
    let world = World(Fixture.market(), finalityDelay: 2)
    for _ in 0..<3 { world.epoch() }
    #expect(world.machine.lastFinalEpoch == Epoch(1))
    #expect(world.machine.status.unfinished.map(\.phase) == [.posted, .posted])
    world.event(.final(Epoch(3), root: world.machine.root))
    world.event(.final(Epoch(2), root: world.posts[1].header.root))
    #expect(world.machine.lastFinalEpoch == Epoch(3))
    #expect(world.messages(EpochFinal.self, to: .risk).map(\.epoch.rawValue) == [1, 2, 3])
    #expect(world.messages(EpochFinal.self, to: .risk).map(\.root) == world.posts.map(\.header.root))
  }

  @Test func aHeaderOrRootThatItDidNotMakeStopsPosting() {
    let posted = World()
    posted.sealEpoch()
    posted.commitAll(1)
    posted.event(.posted(Epoch(1), headerHash: .zero))
    #expect(posted.machine.stopReason?.rule == .foreignHeader)
    let final = World()
    final.epoch()
    final.event(.final(Epoch(1), root: .zero))
    #expect(final.machine.stopReason == nil, "an epoch that is final stays so")
    final.event(.final(Epoch(2), root: .zero))
    #expect(final.machine.stopReason?.rule == .foreignRoot)
  }

  @Test func whatIsFinalIsForgotten() {
    let world = World()
    for account in 1...5 { world.deposit(UInt8(account), 0, 10) }
    for _ in 0..<3 { world.epoch() }
    func size() -> Int {
      var writer = ByteWriter()
      world.machine.writeSnapshot(to: &writer)
      return writer.count
    }
    let before = size()
    for _ in 0..<100 { world.epoch() }
    #expect(size() == before)
  }

  @Test func itsQueriesSayWhatIsMissing() {
    let world = World(Fixture.market(quorum: 2, verifiers: 3))
    world.sealEpoch()
    world.send(world.emptyCommitment(.shard(ShardID(1)), 1))
    #expect(
      world.machine.status.unfinished.map(\.phase) == [.collecting(missing: [.shard(ShardID(0)), .risk])])
    world.send(world.emptyCommitment(.shard(ShardID(0)), 1))
    world.send(world.emptyCommitment(.risk, 1))
    #expect(world.machine.status.unfinished.map(\.phase) == [.attesting(agreeing: 0, quorum: 2)])
    world.answeringVerifiers = [1]
    world.settle()
    #expect(world.machine.status.unfinished.map(\.phase) == [.attesting(agreeing: 1, quorum: 2)])
  }
}
