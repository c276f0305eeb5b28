import Bytes
import Machine
import Market
import Settlement
import Testing

@Suite struct RecoveryTests {
  private func world(epochs: Int = 8, seed: UInt64 = 1, killAfter: @escaping (Int) -> Bool = { _ in false }) -> World {
    let world = World(Fixture.market(quorum: 2, verifiers: 3))
    world.killAfter = killAfter
    var scenario = Scenario(seed: seed)
    scenario.run(world, epochs: epochs)
    return world
  }

  private func snapshot(_ machine: borrowing SettlementMachine) -> [UInt8] {
    var writer = ByteWriter()
    machine.writeSnapshot(to: &writer)
    return writer.array
  }

  /// Applies inputs and returns all that was said, input by input.
  private func replay(
    _ inputs: ArraySlice<World.Input>, on machine: inout SettlementMachine
  ) -> [[World.Said]] {
    var output = OutputBuffer()
    return inputs.map { input in
      output.clear()
      input.payload.withUnsafeBytes { machine.apply(input.header, $0, into: &output) }
      return World.read(output)
    }
  }

  @Test func theSameJournalGivesTheSameStateAndWords() {
    let world = world()
    #expect(world.machine.stopReason == nil)
    #expect(world.posts.count == 8)
    var machine = SettlementMachine(id: .settlement)
    let said = replay(world.journal[...], on: &machine).flatMap(\.self)
    #expect(machine.stateHash() == world.machine.stateHash())
    #expect(snapshot(machine) == snapshot(world.machine))
    #expect(said.filter { $0.kind == .stream } == world.sent)
    #expect(said.filter { $0.kind == .effect } == world.effects)
  }

  @Test func restoredAfterAnyInputItGoesOnAsIfNothingHadBeen() {
    let world = world()
    var reference = SettlementMachine(id: .settlement)
    var snapshots: [[UInt8]] = []
    var said: [[World.Said]] = []
    var output = OutputBuffer()
    for input in world.journal {
      output.clear()
      input.payload.withUnsafeBytes { reference.apply(input.header, $0, into: &output) }
      said.append(World.read(output))
      snapshots.append(snapshot(reference))
    }
    for prefix in snapshots.indices {
      snapshots[prefix].withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        var machine = SettlementMachine(id: .settlement, snapshot: &reader)
        #expect(reader.isExhausted)
        #expect(snapshot(machine) == snapshots[prefix])
        let rest = replay(world.journal[(prefix + 1)...], on: &machine)
        #expect(rest == Array(said[(prefix + 1)...]), "restored after input \(prefix + 1)")
        #expect(machine.stateHash() == reference.stateHash(), "restored after input \(prefix + 1)")
      }
    }
  }

  @Test func killedAfterAnyInputItPostsTheSameRootsOnce() {
    let untouched = world(epochs: 5)
    let inputs = untouched.journal.count
    #expect(inputs > 50)
    for kill in 1...inputs {
      let world = world(epochs: 5) { $0 == kill }
      #expect(world.machine.stopReason == nil)
      #expect(world.vault.postedHeader == untouched.vault.postedHeader, "killed after input \(kill)")
      #expect(world.machine.root == untouched.machine.root)
      #expect(world.machine.lastFinalEpoch == Epoch(5))
      #expect(
        world.messages(EpochFinal.self, to: .risk) == untouched.messages(EpochFinal.self, to: .risk))
      #expect(world.messages(Deposit.self, to: .risk) == untouched.messages(Deposit.self, to: .risk))
    }
  }

  @Test func killedAfterEveryInputItStillArrives() {
    let untouched = world(epochs: 5)
    let world = world(epochs: 5) { _ in true }
    #expect(world.vault.postedHeader == untouched.vault.postedHeader)
    #expect(world.machine.lastFinalEpoch == Epoch(5))
  }

  @Test func whatIsOwedIsSaidAgainOnlyUntilItIsDone() {
    let world = World()
    world.sealEpoch()
    world.commitAll(1)
    world.restart()
    world.restart()
    #expect(world.effects(.attest, as: AttestationRequest.self).count == 3)
    #expect(Set(world.effects(.attest, as: AttestationRequest.self)).count == 1)
    let request = world.effects(.attest, as: AttestationRequest.self)[0]
    world.input(.attestation, world.attestation(0, request).encoded)
    world.restart()
    #expect(world.posts.count == 2)
    #expect(Set(world.posts).count == 1)
    world.event(.posted(Epoch(1), headerHash: request.headerHash))
    let said = world.effects.count
    world.restart()
    #expect(world.effects.count == said)
  }

  @Test func eventsOfTheLayerMayRepeatAndOvertakeEachOther() {
    let untouched = world(epochs: 6)
    var output = OutputBuffer()
    var machine = SettlementMachine(id: .settlement)
    // Every attestation and event comes three times, and each final event before its posted one.
    var inputs: [World.Input] = []
    for input in untouched.journal {
      let isFromOutside = input.header.kind == .attestation || input.header.kind == .settlementEvent
      inputs += Array(repeating: input, count: isFromOutside ? 3 : 1)
    }
    var overtaken = 0
    for place in inputs.indices.dropLast() where isPosted(inputs[place]) && isFinal(inputs[place + 1]) {
      inputs.swapAt(place, place + 1)
      overtaken += 1
    }
    #expect(overtaken >= 6)
    for input in inputs {
      output.clear()
      input.payload.withUnsafeBytes { machine.apply(input.header, $0, into: &output) }
    }
    #expect(machine.stateHash() == untouched.machine.stateHash())
    #expect(untouched.machine.stopReason == nil)
  }

  private func isPosted(_ input: World.Input) -> Bool {
    guard input.header.kind == .settlementEvent else { return false }
    if case .posted = try? SettlementEvent(decoding: input.payload) { return true }
    return false
  }
  private func isFinal(_ input: World.Input) -> Bool {
    guard input.header.kind == .settlementEvent else { return false }
    if case .final = try? SettlementEvent(decoding: input.payload) { return true }
    return false
  }
}
