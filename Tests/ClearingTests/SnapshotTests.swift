import Bytes
import Machine
import Market
import Testing

@testable import Clearing

@Suite struct SnapshotTests {
  static func snapshot(_ machine: borrowing RiskMachine) -> [UInt8] {
    var writer = ByteWriter()
    machine.writeSnapshot(to: &writer)
    return writer.array
  }

  struct Restored: ~Copyable {
    var machine: RiskMachine
    /// The bytes were a snapshot, whole and nothing else.
    var isWhole: Bool

    init(_ bytes: [UInt8]) {
      var copy = ByteWriter(capacity: bytes.count)
      copy.bytes(bytes)
      var reader = ByteReader(copy.bytes)
      machine = RiskMachine(id: .risk, snapshot: &reader)
      isWhole = reader.isExhausted && copy.count == bytes.count
    }
  }

  /// The same inputs to a machine and to one restored from it: outputs are equal, byte by byte, and so are states.
  @Test(arguments: 0..<4) func aRestoredMachineGoesOnAsIfNothingHadHappened(seed: UInt64) {
    var run = Interleaving(seed: seed, accounts: 6)
    run.driver.records = true
    for _ in 0..<1_500 { run.step(movesMarks: true) }
    let bytes = Self.snapshot(run.driver.machine)
    var restored = Restored(bytes)
    #expect(Bool(restored.isWhole))
    #expect(restored.machine.stateHash() == run.driver.machine.stateHash())
    #expect(restored.machine.nextDeadline == run.driver.machine.nextDeadline)
    #expect(Self.snapshot(restored.machine) == bytes)
    let first = run.driver.journal.count
    for round in 0..<1_500 {
      run.step(movesMarks: true)
      if round % 200 == 0 { run.seal() }
    }
    var output = OutputBuffer()
    for entry in run.driver.journal[first...] {
      output.clear()
      entry.payload.withUnsafeBytes { restored.machine.apply(entry.header, $0, into: &output) }
      if output.writer.array != entry.output {
        Issue.record("seed \(seed): entry \(entry.header.sequence) answers differently")
        return
      }
    }
    #expect(restored.machine.stateHash() == run.driver.machine.stateHash())
  }

  @Test func theSameJournalGivesTheSameStateAndOutputs() {
    var run = Interleaving(seed: 77, accounts: 5)
    run.driver.records = true
    for _ in 0..<1_000 { run.step(movesMarks: true) }
    var again = Interleaving(seed: 77, accounts: 5)
    again.driver.records = true
    for _ in 0..<1_000 { again.step(movesMarks: true) }
    #expect(run.driver.journal.map(\.output) == again.driver.journal.map(\.output))
    #expect(run.driver.machine.stateHash() == again.driver.machine.stateHash())
  }

  @Test func aMachineBeforeItsGenesisIsRestoredAsSuch() {
    let machine = RiskMachine(id: .risk)
    let restored = Restored(Self.snapshot(machine))
    #expect(Bool(restored.isWhole))
    #expect(restored.machine.stateHash() == machine.stateHash())
  }

  @Test func theHashTellsStatesApart() {
    var driver = CreditTests.open()
    var seen: Set<UInt64> = [driver.machine.stateHash()]
    driver.fill(1, TestMarket.perpetual, lots: 1, at: Price(whole: 100_000))
    #expect(seen.insert(driver.machine.stateHash()).inserted)
    driver.fill(1, TestMarket.perpetual, lots: -1, at: Price(whole: 100_000))
    #expect(seen.insert(driver.machine.stateHash()).inserted)
    driver.mark(index: 100_000)
    #expect(seen.insert(driver.machine.stateHash()).inserted)
    driver.tick(after: .milliseconds(1))
    #expect(seen.insert(driver.machine.stateHash()).inserted)
  }

  @Test func aCutOrChangedSnapshotIsRefusedOrReadButNeverTraps() {
    var run = Interleaving(seed: 5, accounts: 3)
    for _ in 0..<500 { run.step(movesMarks: true) }
    let bytes = Self.snapshot(run.driver.machine)
    for length in stride(from: 0, to: bytes.count, by: 97) {
      let cut = Restored(Array(bytes.prefix(length)))
      #expect(!Bool(cut.isWhole))
    }
    var random = Seeded(9)
    for _ in 0..<1_500 {
      var changed = bytes
      for _ in 0..<random.below(3) + 1 {
        changed[random.below(changed.count)] = UInt8(truncatingIfNeeded: random.next())
      }
      var restored = Restored(changed)
      guard restored.isWhole else { continue }
      var output = OutputBuffer()
      let header = InputHeader(
        sequence: SequenceNumber(1), stamp: run.driver.now + .seconds(20), term: Term(1), kind: .tick)
      restored.machine.apply(header, UnsafeRawBufferPointer(start: nil, count: 0), into: &output)
      _ = restored.machine.totals()
    }
  }
}
