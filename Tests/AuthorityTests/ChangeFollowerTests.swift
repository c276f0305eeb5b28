import Authority
import Market
import Messaging
import Testing

@Suite struct ChangeFollowerTests {
  /// The network loses, repeats and delays; the table restarts; more changes than are kept may be missed.
  @Test(arguments: 0..<40 as Range<UInt64>)
  func aFollowerEndsWithWhatStandsAndToldNothingTwice(_ seed: UInt64) {
    var random = Rolls(seed: seed)
    var table = OwnershipTable()
    var follower = ChangeFollower()
    var told: [AuthorityChange] = []
    var delayed: [AuthorityAnswer] = []
    var pushed: UInt64 = 1
    var missed = 0
    var now = MonotonicTime(nanoseconds: 0)
    for _ in 0..<3_000 {
      now = now.advanced(by: 20_000_000)
      if random.below(500) == 0 {
        table = table.restarted(now: now)
      } else if random.below(800) == 0 {
        for _ in 0..<3_000 { _ = table.apply(random.request(of: table), now: now) }
      }
      _ = table.apply(random.request(of: table), now: now)
      // The server pushes what is new to it, and does not know what arrives.
      let isPush = random.below(3) == 0
      guard isPush || random.below(3) == 0 else { continue }
      let answer = isPush ? table.changes(from: pushed) : table.apply(follower.request, now: now)
      if isPush { pushed = table.nextChange }
      switch random.below(4) {
      case 0: break
      case 1: delayed.append(answer)
      default:
        if follower.missedSomething(before: answer) { missed += 1 }
        told += follower.take(answer)
      }
      if random.below(3) == 0, let late = delayed.randomElement(using: &random) { told += follower.take(late) }
    }
    told += follower.take(table.apply(follower.request, now: now))
    #expect(missed > 10, "the network lost nothing")
    var records: [MachineID: Ownership] = [:]
    var alive: Set<String> = []
    for change in told {
      switch change {
      case .owned(let record):
        #expect(record.revision > records[record.machine]?.revision ?? 0, "told twice, or out of order")
        records[record.machine] = record
      case .nodeUp(let node): #expect(alive.insert(node).inserted)
      case .nodeDown(let node, _): #expect(alive.remove(node) != nil)
      case .caughtUp: break
      }
    }
    #expect(records.values.sorted { $0.machine < $1.machine } == table.records)
    for node in 0..<4 {
      #expect(table.apply(.isAlive(node: "n\(node)"), now: now) == .alive(alive.contains("n\(node)")))
    }
  }
}

extension Rolls: RandomNumberGenerator {}
