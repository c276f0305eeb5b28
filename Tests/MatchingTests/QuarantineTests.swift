import Bytes
import Machine
import Market
import Testing

@testable import Matching

@Suite struct QuarantineTests {
  private func quarantine(_ kind: InputKind, source: MachineID = .none, number: UInt64 = 0) -> Quarantine {
    Quarantine(
      machine: .shard(ShardID(0)), kind: kind, source: source, firstNumber: number, digest: .zero, deaths: 3,
      decided: Venue.start, signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0))
  }
  private func putAside(_ kind: InputKind, _ payload: [UInt8]) -> [UInt8] {
    payload.withUnsafeBytes { QuarantinedInput.payload(quarantine(kind), $0) }
  }

  @Test func anActionThatWasPutAsideDoesNothingButSpendItsNonce() {
    let venue = Venue()
    let action = venue.action(1, [venue.order(.buy, 1, "990"), venue.order(.buy, 1, "991")], nonce: 77)
    let said = venue.apply(.quarantined, putAside(.action, action.encoded))
    #expect(said.results.map(\.outcome) == [.quarantined, .quarantined])
    #expect(venue.machine.orderCount == 0 && said.deltas.isEmpty && said.reports.isEmpty)
    let again = venue.apply(.action, action.encoded)
    #expect(again.results.map(\.outcome) == [.quarantined, .quarantined] && again.replies[0].isRepeated)
    #expect(venue.act(1, venue.order(.buy, 1, "990"), nonce: 77).outcome == .nonceReused)
    #expect(venue.act(1, venue.order(.buy, 1, "990"), nonce: 78).outcome == .resting)
  }

  @Test func anActionThatWasPutAsideAfterItsAnswerIsAnsweredTheSame() {
    let venue = Venue()
    let action = venue.action(1, [venue.order(.buy, 1, "990")], nonce: 77)
    venue.apply(.action, action.encoded)
    #expect(venue.apply(.quarantined, putAside(.action, action.encoded)).outcome == .resting)
    #expect(venue.machine.orderCount == 1)
  }

  @Test func aStreamGoesOnBehindAMessageThatWasPutAside() {
    let venue = Venue()
    let last = venue.machine.streams.lastReceived(from: .risk)
    var body = ByteWriter()
    body.u8(Halt.kind.rawValue)
    Halt(isHalted: true).write(to: &body)
    var message = ByteWriter()
    message.blob(body.bytes)
    venue.sequence += 1
    venue.riskNumber += 1
    let header = InputHeader(
      sequence: SequenceNumber(venue.sequence), stamp: venue.now, term: Term(1), kind: .quarantined, source: .risk,
      epoch: venue.machine.epoch, firstNumber: last + 1, count: 1)
    _ = venue.apply(
      header, QuarantinedInput.payload(quarantine(.stream, source: .risk, number: last + 1), message.bytes))
    #expect(venue.machine.streams.lastReceived(from: .risk) == last + 1)
    #expect(venue.act(1, venue.order(.buy, 1, "990")).outcome == .resting)
    venue.risk(Halt(isHalted: true))
    #expect(venue.act(1, venue.order(.buy, 1, "990")).outcome == .halted)
  }

  @Test func bothEnginesPassOverTheSame() {
    var records = 0
    for seed in 0..<4 as Range<UInt64> {
      let divergence = Differential.run(
        ShardMachine.self, NaiveEngine.self, Mix(name: "quarantine", stepBounds: [2, 7, 1_000], quarantined: 100),
        seed: seed, length: 4_000, records: &records)
      #expect(divergence == nil, "\(divergence ?? "")")
    }
    #expect(records > 16_000)
  }

  @Test func bytesThatAreNoQuarantineChangeNothing() {
    let venue = Venue()
    let hash = venue.machine.stateHash()
    for payload in [[], [UInt8](repeating: 0, count: Quarantine.byteCount), [UInt8](repeating: 0xFF, count: 300)] {
      let said = venue.apply(.quarantined, payload)
      #expect(said.replies.isEmpty)
    }
    #expect(venue.machine.stateHash() == hash)
  }
}
