import Market

/// One (account, shard) ceiling as the aggregator's messages alone tell it: outstanding = max(last acknowledged, every
/// ceiling sent since) − consumed.
struct CeilingModel {
  private var acknowledged = Money.zero
  private var unanswered: [(version: UInt64, ceiling: Money)] = []
  private(set) var consumed = Money.zero

  /// The highest ceiling that may be in force.
  var highest: Money { unanswered.reduce(acknowledged) { max($0, $1.ceiling) } }
  var outstanding: Int128 { max(0, Int128(highest.units) - Int128(consumed.units)) }

  mutating func sent(_ credit: Credit) { unanswered.append((credit.version, credit.ceiling)) }
  mutating func took(_ taken: CreditTaken) {
    consume(taken.consumed)
    guard unanswered.contains(where: { $0.version == taken.version }) else { return }
    unanswered.removeAll { $0.version <= taken.version }
    acknowledged = taken.ceiling
  }
  mutating func froze(_ taken: FreezeTaken) {
    consume(taken.consumed)
    acknowledged = consumed
    unanswered.removeAll()
  }
  mutating func closed(_ grant: GrantClosed) {
    consume(grant.consumed)
    acknowledged = grant.ceiling
  }
  mutating func consume(_ consumed: Money) { self.consumed = max(self.consumed, consumed) }
}
