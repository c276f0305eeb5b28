import Market
import Testing

@testable import Matching

@Suite struct NonceLedgerTests {
  private struct Name: Hashable {
    var account: Slot
    var nonce: UInt64
  }

  private func record(_ name: Name, key: UInt16 = 0, content: UInt64 = 0) -> NonceRecord {
    NonceRecord(
      nonce: name.nonce, accountSlot: name.account, key: key, count: 1, content: content, sequence: SequenceNumber(1),
      stamp: .zero, term: Term(1))
  }

  /// Rising nonces, two series mingled, nonces out of order, and any nonce at all.
  private func nonce(_ style: Int, _ step: UInt64, _ random: inout Seeded) -> UInt64 {
    switch style {
    case 0: step
    case 1: (step & 1) << 62 + step
    case 2: step * 8 + UInt64.random(in: 0..<64, using: &random)
    default: UInt64.random(in: 0..<2_000, using: &random)
    }
  }

  @Test(arguments: 0..<4) func itFindsWhatADictionaryFinds(style: Int) {
    var random = Seeded(7)
    var ledger = NonceLedger()
    var live: [Name: (content: UInt64, second: Int64)] = [:]
    var used: Set<Name> = []
    for step in 1...60_000 as ClosedRange<UInt64> {
      let name = Name(account: Slot(1 + step % 3), nonce: nonce(style, step, &random))
      let found = ledger.find(name.account, 0, name.nonce)
      #expect((found == 0) == (live[name] == nil))
      if let known = live[name] { #expect(ledger.records[Int(found)].content == known.content) }
      if ledger.trackOfNew(name.nonce, name.account) != nil { #expect(!used.contains(name)) }
      if found == 0 {
        // Some outlive the others of their block.
        let second = Int64(step / 100) + (step % 97 == 0 ? 200 : 1)
        _ = ledger.insert(record(name, content: step), expiring: second)
        live[name] = (step, second)
        used.insert(name)
      }
      if step % 50 == 0 {
        let now = Int64(step / 100)
        while ledger.forget(expiredBefore: now, limit: 7, { _ in }) == 7 {}
        live = live.filter { $0.value.second >= now }
        #expect(ledger.count == live.count)
      }
    }
    for name in used { #expect((ledger.find(name.account, 0, name.nonce) == 0) == (live[name] == nil)) }
  }

  @Test func risingNoncesAreKnownToBeNewAndOthersAreLookedUp() {
    var ledger = NonceLedger()
    for nonce in [5, 6, 1 << 62, 7, 1 << 62 + 1, 8] as [UInt64] {
      #expect(ledger.trackOfNew(nonce, 1) != nil)
      _ = ledger.insert(record(Name(account: 1, nonce: nonce)), expiring: 1)
    }
    for nonce in [0, 4, 8, 1 << 62, 1 << 62 + 1] as [UInt64] { #expect(ledger.trackOfNew(nonce, 1) == nil) }
    #expect(ledger.trackOfNew(4, 2) != nil)
  }

  @Test func aNonceThatAnOrderBearsDoesNotPassForNew() {
    var ledger = NonceLedger()
    for nonce in [900, 17, 500] as [UInt64] { ledger.note(nonce, 1) }
    for nonce in [17, 500, 900] as [UInt64] { #expect(ledger.trackOfNew(nonce, 1) == nil) }
    #expect(ledger.trackOfNew(901, 1) != nil)
  }

  @Test func otherKeysHaveNoncesOfTheirOwn() {
    var ledger = NonceLedger()
    let name = Name(account: 1, nonce: 9)
    _ = ledger.insert(record(name, key: 3), expiring: 1)
    #expect(ledger.find(1, 0, 9) == 0)
    #expect(ledger.find(1, 3, 9) != 0)
    var forgotten: [Slot] = []
    let count = ledger.forget(expiredBefore: 2, limit: 9) { forgotten.append($0) }
    #expect(count == 1 && forgotten == [1])
    #expect(ledger.find(1, 3, 9) == 0)
  }
}
