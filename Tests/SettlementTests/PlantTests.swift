#if NOVATION_PLANT
  import Bytes
  import Market
  import Settlement
  import Testing

  /// Each planted bug is found by somebody.
  @Suite struct PlantTests {
    private func world(_ faults: SettlementFaults, _ change: @escaping (inout Commitment) -> Void = { _ in }) -> World {
      let world = World()
      world.machine.faults = faults
      world.deposit(1, 0, 100)
      world.epoch()
      world.epoch(change)
      return world
    }

    @Test func withoutABugTwoEpochsAreFinal() {
      #expect(world([]).machine.lastFinalEpoch == Epoch(2))
    }

    @Test func aSkippedConservationCheckIsFoundByTheVault() {
      let mint: (inout Commitment) -> Void = { if $0.machine == .risk { $0.move(AccountID(1), 0, 1) } }
      let world = world(.skipConservation, mint)
      #expect(world.machine.stopReason == nil)
      #expect(world.vault.postedEpoch == Epoch(1))
      let honest = self.world([], mint)
      #expect(honest.machine.stopReason?.rule == .ledgerConservation)
    }

    @Test func aSecondPostIsSeenAndHarmless() {
      let world = world(.postTwice)
      #expect(world.posts.map(\.header.epoch.rawValue) == [1, 1, 2, 2])
      #expect(world.vault.postedEpoch == Epoch(2))
      #expect(world.machine.stopReason == nil)
    }

    @Test func aMintedUnitIsFoundByTheVaultAndByThePublishedTotals() throws {
      let world = world(.mintOnApply)
      #expect(world.vault.postedEpoch == Epoch(0))
      var ledger = PublishedLedger(currencies: 3)
      try ledger.apply(try #require(world.posts.first))
      #expect(ledger.book.ledgerTotals[0].ledger == 101)
    }

    @Test func aWrongPreviousRootIsFoundByTheVault() {
      let world = world(.wrongPreviousRoot)
      #expect(world.vault.postedEpoch == Epoch(0))
      #expect(world.posts.count == 1)
    }
  }
#endif
