import Bytes
import Machine
import Market
import Settlement
import Testing

@Suite struct ListingTests {
  static let new = InstrumentID(5)

  static func instrument(_ change: (inout Instrument) -> Void = { _ in }) -> Instrument {
    var instrument = Fixture.market().instruments[0]
    instrument.id = new
    instrument.name = "BTC-USDC-NEW"
    change(&instrument)
    return instrument
  }

  /// Two accounts and one final epoch.
  static func world() -> (World, AccountID, AccountID) {
    let world = World()
    let accounts = (world.deposit(1, 0, 1_000_000_000_000), world.deposit(2, 0, 1_000_000_000_000))
    world.epoch()
    return (world, accounts.0, accounts.1)
  }

  @Test func positionsInAListedInstrumentAreValuedAtItsMark() throws {
    let (world, alice, bob) = Self.world()
    world.send(InstrumentListing(instrument: Self.instrument()), from: .risk)
    world.epoch { commitment in
      if commitment.machine == .shard(ShardID(0)) { commitment.trade(alice, bob, 5, 3) }
      if commitment.machine == .risk { commitment.mark(5, Price(whole: 100)) }
    }
    #expect(world.machine.stopReason == nil)
    #expect(world.machine.lastFinalEpoch == Epoch(2))
    let account = world.machine.leaf(of: alice)
    let leaf = try #require(account)
    #expect(leaf.positions == [PositionEntry(instrument: Self.new, lots: Lots(3))])
    // Three lots of 0.001 at 100.
    #expect(leaf.leaf.equity == Money(units: 1_000_000_000_000 + 30_000_000))
  }

  /// The two streams are not ordered against each other: a shard that has heard of the listing may be read first.
  @Test func aShardsCommitmentMayArriveBeforeTheListingThatItRestsOn() throws {
    let (world, alice, bob) = Self.world()
    world.sealEpoch()
    var shard = world.emptyCommitment(.shard(ShardID(0)), 2)
    shard.trade(alice, bob, 5, 3)
    world.send(shard)
    world.send(world.emptyCommitment(.shard(ShardID(1)), 2))
    #expect(world.machine.stopReason == nil)
    world.restart()
    world.send(InstrumentListing(instrument: Self.instrument()), from: .risk)
    world.send(world.emptyCommitment(.risk, 2))
    world.settle()
    #expect(world.machine.stopReason == nil)
    #expect(world.machine.lastFinalEpoch == Epoch(2))
    #expect(world.machine.leaf(of: alice)?.positions.map(\.instrument) == [Self.new])
  }

  @Test func positionsInWhatWasNeverListedStopPosting() {
    let (world, alice, bob) = Self.world()
    world.epoch { commitment in
      if commitment.machine == .shard(ShardID(0)) { commitment.trade(alice, bob, 5, 3) }
    }
    #expect(world.machine.stopReason?.rule == .badCommitment)
    #expect(world.machine.stopReason?.epoch == Epoch(2))
    #expect(world.machine.stopReason?.detail == UInt64(MachineID.shard(ShardID(0)).rawValue))
    #expect(world.machine.lastFinalEpoch == Epoch(1))
  }

  @Test func anotherShardsPositionsInAListedInstrumentStopPosting() {
    let (world, alice, bob) = Self.world()
    world.send(InstrumentListing(instrument: Self.instrument()), from: .risk)
    world.epoch { commitment in
      if commitment.machine == .shard(ShardID(1)) { commitment.trade(alice, bob, 5, 3) }
    }
    #expect(world.machine.stopReason?.rule == .badCommitment)
  }

  @Test func aListingThatDoesNotFitChangesNothing() {
    let misfits: [(inout Instrument) -> Void] = [
      { $0.id = InstrumentID(4) }, { $0.id = InstrumentID(6) }, { $0.underlying = UnderlyingID(2) },
      { $0.settlementCurrency = Currency(3) }, { $0.shard = ShardID(2) },
    ]
    for change in misfits {
      let (world, alice, bob) = Self.world()
      world.send(InstrumentListing(instrument: Self.instrument(change)), from: .risk)
      #expect(world.machine.stopReason == nil)
      world.epoch { commitment in
        if commitment.machine == .shard(ShardID(0)) { commitment.trade(alice, bob, 5, 3) }
      }
      #expect(world.machine.stopReason?.rule == .badCommitment)
    }
  }

  @Test func onlyRiskLists() {
    let (world, _, _) = Self.world()
    world.send(InstrumentListing(instrument: Self.instrument()), from: .shard(ShardID(0)))
    world.epoch { commitment in
      if commitment.machine == .risk { commitment.mark(5, Price(whole: 100)) }
    }
    #expect(world.machine.stopReason?.rule == .badCommitment)
    #expect(world.machine.stopReason?.detail == UInt64(MachineID.risk.rawValue))
  }

  @Test func aMalformedListingStopsPosting() {
    let (world, _, _) = Self.world()
    world.send(message: [MessageKind.listing.rawValue] + Self.instrument().encoded.dropLast(), from: .risk)
    #expect(world.machine.stopReason?.rule == .malformedMessage)
  }

  @Test func aRestartedCoordinatorKnowsWhatWasListed() {
    let (world, alice, bob) = Self.world()
    world.send(InstrumentListing(instrument: Self.instrument()), from: .risk)
    let hash = world.machine.stateHash()
    world.restart()
    #expect(world.machine.stateHash() == hash)
    world.epoch { commitment in
      if commitment.machine == .shard(ShardID(0)) { commitment.trade(alice, bob, 5, 3) }
    }
    #expect(world.machine.stopReason == nil)
    #expect(world.machine.lastFinalEpoch == Epoch(2))
  }
}
