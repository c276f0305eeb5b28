import Testing

@testable import Matching

@Suite struct SlotTableTests {
  /// Two keys of one line whose tags are both 1, which is one more than a vacant cell's.
  @Test func aKeyThatHasLeftIsNotFoundBesideItsTwin() {
    var table = SlotTable()
    var keys: [UInt64] = [0]
    var key: UInt64 = 0
    while keys.count < 4 {
      key += 1
      let hash = table.hash(key)
      if hash >> 24 <= 1, hash & 15 == 3 { keys.append(key) }
    }
    for slot in 1...3 as ClosedRange<Slot> { table.insert(table.hash(keys[Int(slot)]), slot) { (keys[Int($0)], 0) } }
    table.remove(table.hash(keys[2]), 2)
    #expect(table.find(table.hash(keys[2])) { keys[Int($0)] == keys[2] } == 0)
    #expect(table.find(table.hash(keys[1])) { keys[Int($0)] == keys[1] } == 1)
    #expect(table.find(table.hash(keys[3])) { keys[Int($0)] == keys[3] } == 3)
  }

  @Test func itKeepsWhatADictionaryKeeps() {
    var random = Seeded(3)
    var table = SlotTable()
    var keys = [UInt64](repeating: 0, count: 5_000)
    var free = (1..<5_000).map { Slot($0) }
    var kept: [UInt64: Slot] = [:]
    for _ in 0..<300_000 {
      let key = UInt64.random(in: 0..<4_500, using: &random)
      let hash = table.hash(key)
      let found = table.find(hash) { keys[Int($0)] == key }
      guard found == kept[key] ?? 0 else {
        Issue.record("key \(key) found as \(found), not \(kept[key] ?? 0)")
        return
      }
      if found == 0 {
        let slot = free.removeLast()
        keys[Int(slot)] = key
        kept[key] = slot
        table.insert(hash, slot) { (keys[Int($0)], 0) }
      } else if Bool.random(using: &random) {
        table.remove(hash, found)
        kept[key] = nil
        free.append(found)
      }
    }
    #expect(table.count == kept.count)
  }
}
