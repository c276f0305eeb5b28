import Bytes
import Machine
import Market
import Settlement
import Testing

@Suite struct FuzzTests {
  /// A real journal with bytes and headers damaged at random: whatever comes, the machine does not trap, and it says
  /// the same twice.
  @Test(arguments: 0..<40) func noInputTrapsTheCoordinator(seed: Int) {
    var random = Seeded(UInt64(seed) + 1_000)
    let world = World(Fixture.market(quorum: 2, verifiers: 3))
    var scenario = Scenario(seed: UInt64(seed))
    scenario.run(world, epochs: 6)
    var inputs = world.journal
    for _ in 0..<Int.random(in: 1...60, using: &random) { damage(&inputs, &random) }
    let first = hashes(inputs)
    #expect(first == hashes(inputs))
  }

  private func damage(_ inputs: inout [World.Input], _ random: inout Seeded) {
    let place = Int.random(in: (Bool.random(using: &random) ? 0 : 1)..<inputs.count, using: &random)
    switch Int.random(in: 0..<8, using: &random) {
    case 0: inputs.swapAt(place, Int.random(in: 1..<inputs.count, using: &random))
    case 1: inputs.insert(inputs[place], at: Int.random(in: 1...inputs.count, using: &random))
    case 2: inputs[place].payload = Array(inputs[place].payload.dropLast(Int.random(in: 0...9, using: &random)))
    case 3: inputs[place].header.kind = InputKind.allCases.randomElement(using: &random)!
    case 4: inputs[place].header.count = UInt16.random(in: 0...3, using: &random)
    case 5: inputs[place].header.stamp = Timestamp(nanoseconds: [.min, -1, 0, .max].randomElement(using: &random)!)
    case 6: inputs[place].header.firstNumber = [0, 1, 2, .max].randomElement(using: &random)!
    default:
      guard !inputs[place].payload.isEmpty else { return }
      let start = inputs[place].payload.indices.randomElement(using: &random)!
      let extreme: UInt8? = [nil, 0, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
      for index in start..<min(start + Int.random(in: 1...8, using: &random), inputs[place].payload.count) {
        inputs[place].payload[index] = extreme ?? UInt8.random(in: 0...255, using: &random)
      }
    }
  }

  private func hashes(_ inputs: [World.Input]) -> [UInt64] {
    var machine = SettlementMachine(id: .settlement)
    var output = OutputBuffer()
    return inputs.map { input in
      output.clear()
      input.payload.withUnsafeBytes { machine.apply(input.header, $0, into: &output) }
      machine.resume(into: &output)
      _ = machine.status
      return machine.stateHash()
    }
  }

  /// Amounts and counts at the ends of their ranges, in commitments that are otherwise in order.
  @Test func noExtremeAmountTrapsTheCoordinator() {
    let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
    for a in extremes {
      for b in extremes {
        let world = World()
        world.deposit(1, 0, .max)
        world.deposit(2, 1, 1)
        world.epoch()
        for round in 0..<2 {
          world.epoch { commitment in
            if commitment.machine == .risk {
              for instrument in 0..<UInt32(5) { commitment.mark(instrument, Price(units: round == 0 ? a : b)) }
              commitment.indices = [Price(units: max(0, a)), Price(units: max(0, b))]
              return
            }
            let instruments = world.market.instruments(of: commitment.machine.shard!)
            for instrument in instruments {
              commitment.positions.append(
                .init(account: AccountID(1), instrument: instrument.id, lots: Lots(a)))
              commitment.positions.append(
                .init(account: AccountID(2), instrument: instrument.id, lots: Lots(a == .min ? b : -a)))
            }
            commitment.move(AccountID(1), 0, b)
            commitment.move(AccountID(2), 0, b == .min ? a : -b)
          }
        }
        _ = world.machine.stateHash()
      }
    }
  }

  @Test(arguments: 0..<20) func noSnapshotTraps(seed: Int) {
    var random = Seeded(UInt64(seed))
    let world = World(Fixture.market(quorum: 2, verifiers: 3))
    var scenario = Scenario(seed: UInt64(seed))
    scenario.run(world, epochs: 3)
    world.sealEpoch()
    world.send(world.emptyCommitment(.risk, world.machine.epoch.rawValue - 1))
    var writer = ByteWriter()
    world.machine.writeSnapshot(to: &writer)
    for _ in 0..<60 {
      var bytes = writer.array
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[bytes.indices.randomElement(using: &random)!] = UInt8.random(in: 0...255, using: &random)
      }
      bytes.withUnsafeBytes {
        var reader = ByteReader($0)
        var machine = SettlementMachine(id: .settlement, snapshot: &reader)
        guard reader.isExhausted else { return }
        var output = OutputBuffer()
        machine.resume(into: &output)
      }
    }
  }

  @Test(arguments: 0..<20) func noTransactionTrapsTheVault(seed: Int) {
    var random = Seeded(UInt64(seed) + 77)
    let world = World()
    var scenario = Scenario(seed: UInt64(seed))
    scenario.run(world, epochs: 5)
    var transactions = world.posts.map(VaultTransaction.post)
    for deposit in world.deposits {
      transactions.insert(
        .deposit(owner: deposit.owner, account: nil, currency: deposit.currency, amount: deposit.amount), at: 0)
    }
    for account in world.vault.ledger.book.accounts {
      transactions.append(
        .withdraw(world.vault.ledger.proof(of: account.leaf.account)!, currency: Currency(UInt8(seed % 4))))
    }
    var vault = Vault(VaultRules(world.market))
    for transaction in transactions {
      var bytes = transaction.encoded
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        bytes[bytes.indices.randomElement(using: &random)!] = UInt8.random(in: 0...255, using: &random)
      }
      if let damaged = try? VaultTransaction(decoding: bytes) { _ = vault.apply(damaged) }
      _ = vault.apply(transaction)
    }
  }
}
