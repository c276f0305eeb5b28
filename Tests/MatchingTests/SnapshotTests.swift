import Bytes
import Machine
import Market
import Testing

@testable import Matching

/// Random inputs of every kind, valid for the most part.
struct InputMix {
  var random: Seeded
  var operations: OperationMix

  init(seed: UInt64) {
    random = Seeded(seed)
    operations = OperationMix(
      seed: seed &+ 1, accounts: 5, instruments: [Venue.linear, Venue.inverse, Venue.future], spread: 6)
  }

  /// Gives `venue` its next input.
  mutating func step(_ venue: Venue) -> Said {
    let account = UInt32.random(in: 1...5, using: &random)
    venue.now = venue.now + .milliseconds(.random(in: 0...30, using: &random))
    switch Int.random(in: 0..<60, using: &random) {
    case 0, 1, 2:
      venue.marks(margin: Money(whole: .random(in: 0...9, using: &random)))
      return Said()
    case 3: return venue.seal()
    case 4:
      return venue.credit(
        account, ceiling: Money(whole: .random(in: 0...3_000, using: &random)), isForced: .random(using: &random))
    case 5: return venue.risk(Freeze(account: AccountID(account), id: UInt64.random(in: 1...3, using: &random)))
    case 6, 7, 8: return venue.risk(Release(account: AccountID(account), id: .random(in: 1...3, using: &random)))
    case 9:
      return venue.risk(
        Liquidate(
          account: AccountID(account), id: .random(in: 1...3, using: &random), step: venue.sequence,
          instrument: Venue.linear, lots: Lots(.random(in: -9...9, using: &random)), limit: Price(whole: 1_000)))
    case 10:
      return venue.risk(
        Grant(
          account: AccountID(account), request: .random(in: 0...venue.machine.requests, using: &random),
          charge: Money(whole: .random(in: 0...50, using: &random))))
    case 11:
      return venue.apply(
        .sessionEnd, SessionEnd(session: .random(in: 0...2, using: &random), generation: 1).encoded)
    case 12: return venue.apply(.tick, [])
    case 13 where venue.now >= Venue.expiry:
      return venue.risk(Settle(instrument: Venue.future, index: Price(whole: 1_010)))
    default:
      var batch: [Market.Operation] = []
      venue.nonce += 1
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        var (name, operation) = operations.next(nonce: venue.nonce, market: venue.market)
        if name.nonce == 0 { continue }
        if operation.kind == .new, operation.flags == [], operation.type == .limit, operation.rawTimeInForce == 0 {
          switch Int.random(in: 0..<6, using: &random) {
          case 0: operation.flags = .cancelOnDisconnect
          case 1:
            operation.rawTimeInForce = Market.Operation.TimeInForce.goodTillDate.rawValue
            operation.expiry = UInt32(venue.now.seconds) + .random(in: 0...4, using: &random)
          default: break
          }
        }
        name.account = AccountID(account)
        batch.append(operation)
      }
      return venue.act(
        account, batch, nonce: venue.nonce, expiry: UInt64(venue.now.seconds) + .random(in: 0...20, using: &random),
        session: .random(in: 0...2, using: &random), generation: .random(in: 0...2, using: &random))
    }
  }
}

@Suite struct SnapshotTests {
  private func restored(_ venue: Venue) -> ShardMachine? {
    var writer = ByteWriter()
    venue.machine.writeSnapshot(to: &writer)
    var reader = ByteReader(writer.bytes)
    let machine = ShardMachine(id: venue.machine.id, snapshot: &reader)
    #expect(reader.isExhausted)
    return machine
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func aRestoredShardGoesOnAsTheSame(seed: UInt64) {
    let venue = Venue {
      $0.stepBound = 6
      $0.makerFee = 50
      $0.heldOrderTimeout = .milliseconds(300)
    }
    venue.now = Timestamp(seconds: Venue.expiry.seconds - 10)
    let twin = Venue {
      $0.stepBound = 6
      $0.makerFee = 50
      $0.heldOrderTimeout = .milliseconds(300)
    }
    twin.now = venue.now
    var mix = InputMix(seed: seed)
    var twinMix = InputMix(seed: seed)
    for step in 1...1_500 {
      let said = mix.step(venue)
      let twinSaid = twinMix.step(twin)
      #expect(said.bytes == twinSaid.bytes)
      let hash = venue.machine.stateHash()
      #expect(twin.machine.stateHash() == hash)
      #expect(venue.machine.nextDeadline >= venue.now)
      if said.bytes != twinSaid.bytes || twin.machine.stateHash() != hash { return }
      if step % 37 == 0, let machine = restored(twin) {
        twin.machine = machine
        #expect(twin.machine.stateHash() == hash)
        #expect(twin.machine.nextDeadline == venue.machine.nextDeadline)
      }
      if step % 100 == 0 { venue.checkCredit() }
    }
    let fills = venue.machine.fillNumber
    #expect(fills > 50)
  }

  @Test func aShardBeforeGenesisCanBeRestored() {
    var writer = ByteWriter()
    ShardMachine(id: .shard(ShardID(3))).writeSnapshot(to: &writer)
    var reader = ByteReader(writer.bytes)
    let machine = ShardMachine(id: .shard(ShardID(3)), snapshot: &reader)
    let isOpened = machine.isOpened
    #expect(reader.isExhausted && !isOpened)
  }

  @Test func aMalformedSnapshotIsRefused() {
    let venue = Venue { $0.stepBound = 6 }
    venue.now = Timestamp(seconds: Venue.expiry.seconds - 10)
    var mix = InputMix(seed: 3)
    for _ in 0..<600 { _ = mix.step(venue) }
    var writer = ByteWriter()
    venue.machine.writeSnapshot(to: &writer)
    let good = writer.array
    var random = Seeded(9)
    for _ in 0..<400 {
      var bytes = good
      if .random(using: &random) { bytes.removeLast(.random(in: 1...good.count, using: &random)) }
      for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
        bytes[.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
      }
      bytes.withUnsafeBytes {
        var reader = ByteReader($0)
        let machine = ShardMachine(id: venue.machine.id, snapshot: &reader)
        if bytes.count < good.count { #expect(!reader.isExhausted) }
        _ = machine.stateHash()
      }
    }
  }

  @Test func beforeGenesisEverythingIsIgnored() {
    var machine = ShardMachine(id: .shard(ShardID(0)))
    let hash = machine.stateHash()
    var output = OutputBuffer()
    for kind in InputKind.allCases {
      let header = InputHeader(sequence: SequenceNumber(1), stamp: Venue.start, term: Term(1), kind: kind)
      [UInt8](repeating: 1, count: 300).withUnsafeBytes { machine.apply(header, $0, into: &output) }
    }
    #expect(output.count == 0)
    #expect(machine.stateHash() == hash && machine.nextDeadline == .never)
  }
}
