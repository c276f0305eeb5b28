import Bytes
import Cryptography
import Foundation
import Machine
import Market
import Testing

@testable import Cluster

/// Inputs that are kept from a machine.
struct QuarantineTests {
  private let key = PrivateKey.generate()
  private let market: MarketDefinition
  private let machine = MachineID.shard(ShardID(0))

  init() {
    var parameters = MarketParameters()
    parameters.operatorAddress = key.address
    market = MarketDefinition(
      currencies: [], underlyings: [], instruments: [], shardCount: 1, parameters: parameters)
  }

  private func quarantine(
    _ kind: InputKind, _ payload: [UInt8], source: MachineID = .none, number: UInt64 = 0, by signer: PrivateKey? = nil
  ) -> Quarantine {
    let digest = payload.withUnsafeBytes { QuarantineDigest.digest(of: kind, $0) }
    let unsigned = Quarantine(
      machine: machine, kind: kind, source: source, firstNumber: number, digest: digest, deaths: 3,
      decided: Timestamp(nanoseconds: 5), signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0))
    return QuarantineDigest(market.parameters).signed(unsigned, by: signer ?? key)
  }

  /// One that serves, its peers' clocks being right.
  private func host(_ kept: [Quarantine], lastDeath: NotedInput? = nil) throws -> LoneHost {
    let host = try LoneHost(market, kept: kept, lastDeath: lastDeath)
    host.answerTime([0, 0])
    return host
  }

  private func framed(_ message: [UInt8]) -> [UInt8] {
    var writer = ByteWriter()
    message.withUnsafeBytes { writer.blob($0) }
    return writer.array
  }

  // MARK: The host

  @Test func onlyTheInputInQuarantineIsPutAside() throws {
    let host = try host([quarantine(.action, [6, 6, 6])])
    for action in [[1], [6, 6, 6], [6, 6]] as [[UInt8]] { host.submit(action) }
    let entries = try host.entries()
    #expect(entries.map(\.header.kind) == [.action, .quarantined, .action])
    let input = try #require(entries[1].payload.withUnsafeBytes { QuarantinedInput($0).map { [UInt8]($0.payload) } })
    #expect(input == [6, 6, 6])
    host.core.read { #expect($0.kinds == [.genesis, .action, .quarantined, .action]) }
  }

  @Test func whatTheOperatorHasNotSignedIsNoQuarantine() throws {
    var forOther = quarantine(.action, [6])
    forOther.deaths = 4
    let host = try host([quarantine(.action, [6], by: PrivateKey.generate()), forOther])
    host.submit([6])
    #expect(try host.entries().map(\.header.kind) == [.action])
  }

  @Test func ofAChunkOnlyTheMessageIsPutAsideAndTheStreamGoesOn() throws {
    let host = try host([quarantine(.stream, framed([8]), source: .risk, number: 2)])
    host.receive([[7], [8], [9]], from: 0, firstNumber: 1)
    host.receive([[8]], from: 0, firstNumber: 4)
    let entries = try host.entries()
    #expect(entries.map(\.header.kind) == [.stream, .quarantined, .stream, .stream])
    #expect(entries.map(\.header.firstNumber) == [1, 2, 3, 4] && entries.allSatisfy { $0.header.count == 1 })
    #expect(entries.allSatisfy { $0.header.source == .risk })
  }

  @Test func messagesThatWereBeingAppliedAtADeathComeOneByOne() throws {
    let death = NotedInput(
      stage: .taken, kind: .stream, sequence: SequenceNumber(5), source: .risk, firstNumber: 2, count: 2, payload: nil)
    let host = try host([], lastDeath: death)
    host.receive([[1]], from: 0, firstNumber: 1)
    host.receive([[2], [3], [4]], from: 0, firstNumber: 2)
    host.receive([[5], [6]], from: 0, firstNumber: 5)
    host.receive([[1], [2], [3]], from: 1, firstNumber: 1)
    #expect(try host.entries().map(\.header.count) == [1, 1, 1, 1, 2, 3])
  }

  // MARK: Its parts

  @Test func anActionIsKnownAgainWhateverSessionItCameBy() {
    var bytes = [UInt8](repeating: 1, count: SignedActionHeader.byteCount + Market.Operation.byteCount)
    func digest() -> Digest { bytes.withUnsafeBytes { QuarantineDigest.digest(of: .action, $0) } }
    let first = digest()
    bytes[SignedActionHeader.sessionOffset + 15] = 9
    #expect(digest() == first)
    bytes[SignedActionHeader.sessionOffset + 16] = 9
    #expect(digest() != first)
  }

  @Test func aSignatureCoversEveryField() {
    let signed = quarantine(.stream, [1], source: .risk, number: 7)
    let digest = QuarantineDigest(market.parameters)
    #expect(digest.isSigned(signed))
    let changes: [(inout Quarantine) -> Void] = [
      { $0.machine = .shard(ShardID(1)) }, { $0.kind = .action }, { $0.source = .settlement }, { $0.firstNumber = 8 },
      { $0.digest = .zero }, { $0.deaths = 2 }, { $0.decided = Timestamp(nanoseconds: 6) },
    ]
    for (place, change) in changes.enumerated() {
      var changed = signed
      change(&changed)
      #expect(!digest.isSigned(changed), "field \(place)")
    }
    var parameters = market.parameters
    parameters.operatorAddress = .zero
    #expect(!QuarantineDigest(parameters).isSigned(signed))
  }

  @Test func aShelfKeepsWhatItIsGivenAndRefusesWhatIsDamaged() throws {
    let directory = "/tmp/nv-shelf-\(UUID().uuidString.prefix(8))"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let shelf = QuarantineShelf(dataDirectory: directory)
    #expect(try shelf.quarantines(of: machine).isEmpty)
    let kept = [quarantine(.action, [1]), quarantine(.stream, [2], source: .risk, number: 4)]
    for quarantine in kept { try shelf.add(quarantine) }
    #expect(try shelf.quarantines(of: machine) == kept)
    #expect(try shelf.quarantines(of: .risk).isEmpty)
    let path = "\(directory)/quarantine/\(machine)"
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for damaged in [bytes.dropLast(), Data([1]) + bytes.dropFirst()] {
      try Data(damaged).write(to: URL(fileURLWithPath: path))
      #expect { try shelf.quarantines(of: machine) } throws: { "\($0)".hasPrefix(path) }
    }
  }

  @Test func aNoteOutlivesWhoeverWroteItUntilTheInputIsApplied() throws {
    let directory = "/tmp/nv-note-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    #expect(InputNote.read(journalDirectory: directory) == nil)
    let header = InputHeader(
      sequence: SequenceNumber(9), stamp: .zero, term: Term(1), kind: .stream, source: .risk, firstNumber: 4, count: 2)
    func note(_ payload: [UInt8], _ stage: NotedInput.Stage = .taken) throws {
      let note = try #require(InputNote(journalDirectory: directory))
      #expect(InputNote.read(journalDirectory: directory) == nil)
      payload.withUnsafeBytes { note.willApply(stage, header, $0) }
    }
    try note([1, 2, 3])
    var expected = NotedInput(
      stage: .taken, kind: .stream, sequence: SequenceNumber(9), source: .risk, firstNumber: 4, count: 2,
      payload: [1, 2, 3])
    #expect(InputNote.read(journalDirectory: directory) == expected)
    expected.payload = nil
    try note([UInt8](repeating: 1, count: 1 << 17))
    #expect(InputNote.read(journalDirectory: directory) == expected)
    expected.stage = .replayed
    try note([1], .replayed)
    #expect(InputNote.read(journalDirectory: directory) == expected)
    let applied = try #require(InputNote(journalDirectory: directory))
    [UInt8]([1]).withUnsafeBytes { applied.willApply(.taken, header, $0) }
    applied.hasApplied()
    #expect(InputNote.read(journalDirectory: directory) == nil)
  }
}
