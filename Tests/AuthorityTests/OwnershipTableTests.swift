import Authority
import Bytes
import Market
import Messaging
import Testing

@Suite struct OwnershipTableTests {
  private let machine = MachineID(.shard, 3)
  private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

  private func lease(_ table: inout OwnershipTable, _ node: String, _ milliseconds: UInt32, at now: Int64) -> UInt64? {
    let nonce = UInt64(now) + 1
    let answer = table.apply(.grantLease(node: node, nonce: nonce, milliseconds: milliseconds), now: at(now))
    guard case .leased(let identifier, milliseconds) = answer else { return nil }
    return identifier
  }

  @Test func aLeaseEndsExactlyWhenItsTimeIsUp() throws {
    var table = OwnershipTable()
    let identifier = try #require(lease(&table, "a", 500, at: 1_000))
    #expect(table.nextExpiry == at(1_500))
    #expect(table.apply(.isAlive(node: "a"), now: at(1_499)) == .alive(true))
    #expect(table.apply(.isAlive(node: "a"), now: at(1_500)) == .alive(false))
    #expect(table.apply(.renew(lease: identifier), now: at(1_500)) == .lapsed)
    #expect(table.nextExpiry == .never)
  }

  @Test func aGrantAskedAgainIsTheSameLease() throws {
    var table = OwnershipTable()
    let request = AuthorityRequest.grantLease(node: "a", nonce: 7, milliseconds: 500)
    let first = table.apply(request, now: at(0))
    #expect(table.apply(request, now: at(300)) == first)
    #expect(table.apply(.isAlive(node: "a"), now: at(799)) == .alive(true))
    let other = table.apply(.grantLease(node: "a", nonce: 8, milliseconds: 500), now: at(400))
    #expect(other != first)
  }

  @Test func aReapedNodeIsGoneAtOnceAndGetsNoLeaseUntilItIsStarted() throws {
    var table = OwnershipTable()
    table.nodeStarted("a")
    let identifier = try #require(lease(&table, "a", 10_000, at: 0))
    let next = table.nextChange
    table.nodeEnded("a")
    #expect(table.changes(from: next) == .changes(era: 1, first: next, [.nodeDown("a", .ended)]))
    #expect(table.apply(.isAlive(node: "a"), now: at(1)) == .alive(false))
    #expect(table.apply(.renew(lease: identifier), now: at(1)) == .lapsed)
    #expect(lease(&table, "a", 10_000, at: 2) == nil, "what it asked for before it died")
    table.nodeStarted("a")
    #expect(lease(&table, "a", 10_000, at: 3) != nil)
  }

  @Test func aRestartLetsLeasesRunAnewAndNumbersNewOnesOnwards() throws {
    var table = OwnershipTable()
    let old = try #require(lease(&table, "a", 500, at: 0))
    _ = table.apply(.replace(Ownership(machine: machine, term: Term(1), owner: "a"), expecting: 0), now: at(1))
    var again = table.restarted(now: at(9_000))
    #expect(again.era == table.era + 1 && again.records == table.records)
    #expect(again.apply(.isAlive(node: "a"), now: at(9_499)) == .alive(true))
    let new = try #require(lease(&again, "b", 500, at: 9_499))
    #expect(new > old)
    #expect(again.apply(.isAlive(node: "a"), now: at(9_500)) == .alive(false))
  }

  @Test func onlyWhatMustOutlastTheProcessIsANewEdition() throws {
    var table = OwnershipTable()
    let identifier = try #require(lease(&table, "a", 500, at: 0))
    let edition = table.edition
    _ = table.apply(.renew(lease: identifier), now: at(100))
    _ = table.apply(.ownership(machine), now: at(100))
    _ = table.apply(.follow(era: 0, next: 0), now: at(100))
    #expect(table.edition == edition)
    _ = table.apply(.isAlive(node: "a"), now: at(700))
    #expect(table.edition > edition, "a lease that ran out must stay so")
  }

  @Test(arguments: [
    Ownership(machine: MachineID(rawValue: 0), term: Term(1), owner: "a"),
    Ownership(machine: .risk, term: Term(1), owner: "a", inSync: ["a"]),
    Ownership(machine: .risk, term: Term(1), owner: "a/b"),
    Ownership(machine: .risk, term: Term(1), owner: String(repeating: "a", count: 65)),
    Ownership(machine: .risk, term: Term(1), owner: "a", inSync: (0...16).map { "n\($0)" }),
    Ownership(machine: .risk, term: Term(1), owner: "a", inSync: [""]),
  ])
  func aRecordThatCannotBeIsRefusedAndNothingIsWritten(_ record: Ownership) {
    var table = OwnershipTable()
    guard case .rejected(let reason) = table.apply(.replace(record, expecting: 0), now: at(0)) else {
      Issue.record("written")
      return
    }
    #expect(!reason.isEmpty)
    #expect(table.records.isEmpty && table.edition == 0)
    #expect(throws: (any Error).self) { try Ownership(decoding: record.encoded) }
  }

  @Test(arguments: [49, 600_001] as [UInt32])
  func aLeaseBeyondTheLimitsIsRefused(_ milliseconds: UInt32) {
    var table = OwnershipTable()
    #expect(lease(&table, "a", milliseconds, at: 0) == nil)
  }

  @Test func theSameRequestsGiveTheSameAnswers() {
    var (one, two) = (OwnershipTable(), OwnershipTable())
    var random = Rolls(seed: 5)
    for step in 0..<5_000 {
      let request = random.request(of: one)
      let now = at(Int64(step) * 40)
      #expect(one.apply(request, now: now) == two.apply(request, now: now))
    }
    #expect(one.revision > 100 && one.nextChange > 500)
  }

  /// Of all that several candidates believe they wrote, no two share a term.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func twoNeverWinATerm(_ seed: UInt64) {
    var table = OwnershipTable()
    var random = Rolls(seed: seed)
    var winners: [Term: String] = [:]
    var known = [Ownership?](repeating: nil, count: 3)
    for step in 0..<2_000 {
      let candidate = random.below(3)
      // A candidate acts upon what it last knew, however old.
      if random.below(3) == 0 {
        guard case .ownership(let record) = table.apply(.ownership(machine), now: at(Int64(step))) else { return }
        known[candidate] = record
      }
      let term = known[candidate]?.term.next ?? Term(1)
      let record = Ownership(machine: machine, term: term, owner: "n\(candidate)")
      let request = AuthorityRequest.replace(record, expecting: known[candidate]?.revision ?? 0)
      let times = 1 + random.below(2)
      for _ in 0..<times {
        guard case .replacement(.replaced(let written)) = table.apply(request, now: at(Int64(step))) else { continue }
        #expect(winners[term] == nil || winners[term] == record.owner)
        winners[term] = record.owner
        if random.below(2) == 0 { known[candidate] = written }
      }
    }
    #expect(winners.count > 100)
  }
}

/// Seeded rolls of a die.
struct Rolls {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// Something to ask of `table`; a swap mostly knows what stands there.
  mutating func request(of table: OwnershipTable) -> AuthorityRequest {
    let machine = MachineID(.shard, UInt16(below(3)))
    let node = "n\(below(4))"
    return switch below(8) {
    case 0: .ownership(machine)
    case 1, 2:
      .replace(
        Ownership(machine: machine, term: Term(UInt32(below(9))), owner: node),
        expecting: below(4) == 0
          ? UInt64(below(200)) : table.records.first { $0.machine == machine }?.revision ?? 0)
    case 3: .grantLease(node: node, nonce: next(), milliseconds: UInt32(50 + below(2_000)))
    case 4: .renew(lease: UInt64(below(100)))
    case 5: .release(lease: UInt64(below(100)))
    case 6: .isAlive(node: node)
    default: .follow(era: UInt64(below(3)), next: UInt64(below(400)))
    }
  }
}
