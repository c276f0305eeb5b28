import Machine
import Market
import Testing

@testable import Matching

@Suite struct TimerQueueTests {
  private func timer(_ random: inout Seeded, _ id: UInt64) -> Matching.Timer {
    Matching.Timer(
      deadline: Timestamp(seconds: Int64.random(in: 0...50, using: &random)), kind: .order, id: id, slot: Slot(id))
  }

  @Test func timersComeInOrderHoweverTheyWerePruned() {
    var random = Seeded(11)
    var queue = TimerQueue()
    var wanted: Set<UInt64> = []
    var all: [UInt64: Matching.Timer] = [:]
    for id in 1...3_000 as ClosedRange<UInt64> {
      let timer = timer(&random, id)
      queue.insert(timer)
      all[id] = timer
      wanted.insert(id)
      if id % 3 != 0, let gone = wanted.sorted().randomElement(using: &random) { wanted.remove(gone) }
      if id % 50 == 0 { queue.prune(30) { wanted.contains($0.id) } }
    }
    var came: [UInt64] = []
    while let first = queue.first {
      if wanted.contains(first.id) { came.append(first.id) }
      queue.removeFirst()
    }
    let due = wanted.compactMap { all[$0] }.sorted { $0.fires(before: $1) }
    #expect(came == due.map(\.id))
  }

  @Test func aRoundOfPruningLeavesNothingUnwanted() {
    var random = Seeded(12)
    var queue = TimerQueue()
    for id in 1...1_000 as ClosedRange<UInt64> { queue.insert(timer(&random, id)) }
    // Four times round at most: what a dropped one's place takes may move back behind the cursor.
    for _ in 0..<40 { queue.prune(100) { $0.id % 10 == 0 } }
    #expect(queue.count == 100)
  }
}
