import Bytes
import Machine
import Market
import Settlement
import Testing

@Suite struct ConservationTests {
  private let shard0 = MachineID.shard(ShardID(0))

  /// Runs a good epoch, then one with `change`, then a good one again: says why it stopped and how much was posted.
  private func verdict(_ change: @escaping (inout Commitment) -> Void) -> (rule: StopReason.Rule?, posts: Int) {
    let world = World()
    for owner in 1...3 { for currency in 0..<UInt8(3) { world.deposit(UInt8(owner), currency, 1_000) } }
    world.epoch()
    let root = world.machine.root
    world.epoch(change)
    if world.machine.stopReason != nil {
      #expect(world.machine.root == root, "a breach changes no leaf")
      #expect(world.machine.lastAppliedEpoch == Epoch(1))
    }
    world.epoch()
    return (world.machine.stopReason?.rule, world.posts.count)
  }

  @Test func aBalancedEpochIsPosted() {
    let (rule, posts) = verdict { commitment in
      guard commitment.machine == self.shard0 else { return }
      commitment.trade(AccountID(1), AccountID(2), 0, 5)
      commitment.move(AccountID(1), 0, -51)
      commitment.move(AccountID(2), 0, 49)
      commitment.move(.house, 0, 2)
    }
    #expect(rule == nil)
    #expect(posts == 3)
  }

  @Test(arguments: [UInt8(0), 1, 2]) func aMintedUnitStopsTheCoordinator(currency: UInt8) {
    for amount: Int64 in [1, -1] {
      let (rule, posts) = verdict { if $0.machine == self.shard0 { $0.move(AccountID(1), currency, amount) } }
      #expect(rule == .ledgerConservation)
      #expect(posts == 1)
    }
  }

  @Test func oneCurrencyDoesNotPayForAnother() {
    let (rule, _) = verdict {
      guard $0.machine == self.shard0 else { return }
      $0.move(AccountID(1), 0, 5)
      $0.move(AccountID(2), 1, -5)
    }
    #expect(rule == .ledgerConservation)
  }

  @Test func aPositionFromNothingStopsTheCoordinator() {
    let (rule, posts) = verdict {
      guard $0.machine == self.shard0 else { return }
      $0.trade(AccountID(1), AccountID(2), 0, 5)
      $0.trade(AccountID(1), AccountID(2), 1, 5)
      $0.positions[3].lots = Lots(-4)
    }
    #expect(rule == .positionConservation)
    #expect(posts == 1)
  }

  @Test func aWithdrawalWithoutItsDebitStopsTheCoordinator() {
    let (rule, _) = verdict {
      guard $0.machine == .risk else { return }
      $0.withdraw(AccountID(1), 0, 10)
      $0.ledger = []
    }
    #expect(rule == .ledgerConservation)
  }

  @Test func aDepositCreditedTwiceOrNotAtAllStopsTheCoordinator() {
    for times in [0, 2] {
      let world = World()
      world.deposit(1, 0, 10)
      world.epoch { if $0.machine == .risk { $0.ledger = Array(repeating: $0.ledger[0], count: times) } }
      #expect(world.machine.stopReason?.rule == .ledgerConservation)
      #expect(world.posts.isEmpty)
    }
  }

  @Test func aCursorThatGoesBackOrBeyondStopsTheCoordinator() {
    #expect(verdict { if $0.machine == .risk { $0.depositCursor -= 1 } }.rule == .depositCursor)
    #expect(verdict { if $0.machine == .risk { $0.depositCursor += 1 } }.rule == .depositCursor)
  }

  @Test func aGapOrAnOverlapInAJournalStopsTheCoordinator() {
    for shift: Int64 in [-1, 1] {
      let (rule, posts) = verdict {
        guard $0.machine == self.shard0 else { return }
        $0.seal.firstSequence = SequenceNumber(UInt64(Int64($0.seal.firstSequence.rawValue) + shift))
      }
      #expect(rule == .sequenceGap)
      #expect(posts == 1)
    }
    let backwards = verdict { if $0.machine == .risk { $0.seal.lastSequence = SequenceNumber(3) } }
    #expect(backwards.rule == .sequenceGap)
  }

  @Test func aFillNumberThatFallsStopsTheCoordinator() {
    let world = World()
    world.epoch { if $0.machine == self.shard0 { $0.fillNumber = 9 } }
    world.epoch { if $0.machine == self.shard0 { $0.fillNumber = 9 } }
    #expect(world.machine.stopReason == nil)
    world.epoch { if $0.machine == self.shard0 { $0.fillNumber = 8 } }
    #expect(world.machine.stopReason?.rule == .fillNumberFell)
  }

  @Test func anAccountThatNoDepositOpenedStopsTheCoordinator() {
    let (rule, _) = verdict {
      guard $0.machine == self.shard0 else { return }
      $0.move(AccountID(77), 0, 5)
      $0.move(AccountID(1), 0, -5)
    }
    #expect(rule == .unknownAccount)
  }

  @Test func anAmountThatDoesNotFitStopsTheCoordinator() {
    let (rule, _) = verdict {
      guard $0.machine == self.shard0 else { return }
      $0.move(AccountID(1), 0, .max)
      $0.move(AccountID(2), 0, -.max)
    }
    #expect(rule == .overflow)
    let (positions, _) = verdict {
      guard $0.machine == self.shard0 else { return }
      $0.trade(AccountID(1), AccountID(2), 0, .max)
      $0.mark(0, Price(units: .max))
      $0.marks = []
      $0.trade(AccountID(1), AccountID(2), 0, .max)
    }
    #expect(positions == .overflow)
  }

  @Test func aMachineSpeaksOnlyOfWhatItOwns() {
    let breaches: [(inout Commitment) -> Void] = [
      { if $0.machine == self.shard0 { $0.trade(AccountID(1), AccountID(2), 3, 1) } },
      { if $0.machine == .risk { $0.trade(AccountID(1), AccountID(2), 0, 1) } },
      { if $0.machine == self.shard0 { $0.withdraw(AccountID(1), 0, 1) } },
      { if $0.machine == self.shard0 { $0.mark(0, Price(whole: 1)) } },
      { if $0.machine == self.shard0 { $0.indices = [Price(whole: 1)] } },
      { if $0.machine == self.shard0 { $0.depositCursor = 1 } },
      { if $0.machine == .risk { $0.mark(99, Price(whole: 1)) } },
      { if $0.machine == .risk { $0.indices = [.zero, .zero, .zero] } },
      { if $0.machine == .risk { $0.indices[0] = Price(units: -1) } },
      { if $0.machine == .risk { $0.withdraw(AccountID(1), 0, -1) } },
      { if $0.machine == .risk { $0.withdraw(AccountID(1), 3, 1) } },
      { if $0.machine == self.shard0 { $0.move(AccountID(1), 3, 1) } },
      { if $0.machine == self.shard0 { $0.trade(AccountID(1), AccountID(2), 5, 1) } },
    ]
    for (number, breach) in breaches.enumerated() {
      let (rule, posts) = verdict(breach)
      #expect(rule == .badCommitment, "breach \(number)")
      #expect(posts == 1, "breach \(number)")
    }
  }

  @Test func eachMachineCommitsOnceToEachSealedEpochInItsOwnName() {
    let sends: [(World) -> Void] = [
      { $0.send($0.emptyCommitment(.risk, 2)) },
      { $0.send($0.emptyCommitment(.risk, 0)) },
      {
        $0.send($0.emptyCommitment(.risk, 1))
        $0.send($0.emptyCommitment(.risk, 1))
      },
      { $0.send($0.emptyCommitment(.risk, 1), from: self.shard0) },
    ]
    for (number, send) in sends.enumerated() {
      let world = World()
      world.sealEpoch()
      send(world)
      #expect(world.machine.stopReason?.rule == .badCommitment, "case \(number)")
    }
  }

  @Test func aCommitmentResentOnItsStreamIsDoneOnce() {
    let world = World()
    world.sealEpoch()
    world.commitAll(1)
    for input in world.journal where input.header.kind == .stream {
      world.input(
        .stream, input.payload, source: input.header.source, firstNumber: input.header.firstNumber, count: 1)
    }
    world.settle()
    #expect(world.machine.stopReason == nil)
    #expect(world.posts.count == 1)
  }

  @Test func aStoppedCoordinatorStaysSilentAndSaysWhy() throws {
    let world = World()
    world.deposit(1, 0, 10)
    world.epoch()
    world.epoch { if $0.machine == self.shard0 { $0.move(AccountID(1), 0, 1) } }
    for _ in 0..<3 { world.epoch() }
    world.restart()
    world.settle()
    #expect(world.posts.count == 1)
    let reason = try #require(world.machine.status.stopReason)
    #expect(reason == StopReason(.ledgerConservation, epoch: Epoch(2), detail: 0))
    #expect(reason.description == "epoch 2: the ledger of currency 0 is not conserved")
    #expect(try StopReason(decoding: reason.encoded) == reason)
  }
}
