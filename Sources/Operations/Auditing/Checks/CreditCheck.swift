import Clearing
import Cluster
import Market
import Matching

/// `credit`: whenever the aggregator raises a ceiling, what is outstanding over all shards and what waits to be
/// withdrawn fit the account's equity less its initial margin; in each shard, consumed and reserved charges stay within
/// the ceiling.
///
/// Ceilings are summed from the messages alone. Besides, no shard may have been sent, or state, a ceiling or a charge
/// above all that the aggregator's rules ever allowed it, grants included.
package final class CreditCheck {
  package let findings = Findings(.credit)

  private struct Place: Hashable {
    var account: AccountID
    var shard: MachineID
  }
  /// What the re-executed aggregator has allowed one account in one shard so far.
  private struct Bound {
    /// The highest ceiling sent.
    var ceiling = Int128(0)
    /// Σ grants.
    var granted = Int128(0)
  }

  private let risk: Replica<RiskMachine>
  private let shards: [MachineID: Replica<ShardMachine>]
  private let shardIDs: [MachineID]
  private var lines: [Place: CeilingModel] = [:]
  private var bounds: [Place: Bound] = [:]
  /// The highest ceiling that shards' journals got since the walk's last stop, and since the one before.
  private var got: [Place: Int128] = [:]
  private var gotBefore: [Place: Int128] = [:]
  private var raised: [AccountID] = []
  private var touched: [AccountID] = []

  init(risk: Replica<RiskMachine>, shards: [Replica<ShardMachine>]) {
    self.risk = risk
    self.shards = Dictionary(uniqueKeysWithValues: shards.map { ($0.id, $0) })
    shardIDs = shards.map(\.id)
  }

  // MARK: The aggregator's side

  /// The re-executed aggregator sends a ceiling.
  func sent(_ credit: Credit, to shard: MachineID) {
    let place = Place(account: credit.account, shard: shard)
    bounds[place, default: Bound()].ceiling = max(bounds[place]?.ceiling ?? 0, Int128(credit.ceiling.units))
    let before = lines[place]?.highest ?? .zero
    lines[place, default: CeilingModel()].sent(credit)
    if credit.ceiling > before, raised.last != credit.account { raised.append(credit.account) }
  }

  func sent(_ grant: Grant, to shard: MachineID) {
    bounds[Place(account: grant.account, shard: shard), default: Bound()].granted += Int128(grant.charge.units)
  }

  /// The aggregator's journal holds a fill, or an answer to a ceiling.
  func heard(_ fill: Fill, from shard: MachineID) {
    guard fill.account != .house else { return }
    let place = Place(account: fill.account, shard: shard)
    lines[place, default: CeilingModel()].consume(fill.consumed)
    state(place, fill.consumed)
  }
  func heard(_ taken: CreditTaken, from shard: MachineID) {
    let place = Place(account: taken.account, shard: shard)
    lines[place, default: CeilingModel()].took(taken)
    state(place, max(taken.ceiling, taken.consumed))
  }
  func heard(_ taken: FreezeTaken, from shard: MachineID) {
    let place = Place(account: taken.account, shard: shard)
    lines[place, default: CeilingModel()].froze(taken)
    state(place, taken.consumed)
  }
  func heard(_ closed: GrantClosed, from shard: MachineID) {
    let place = Place(account: closed.account, shard: shard)
    lines[place, default: CeilingModel()].closed(closed)
    state(place, max(closed.ceiling, closed.consumed))
  }

  /// A shard never charges, or takes as its ceiling, more than everything that was sent to it before it can say so.
  private func state(_ place: Place, _ amount: Money) {
    let bound = bounds[place] ?? Bound()
    findings.check(
      Int128(amount.units) <= bound.ceiling + bound.granted,
      "\(place.shard), account \(place.account): it states a ceiling or charge of \(amount.units) units, above "
        + "everything it was ever sent (\(bound.ceiling + bound.granted))")
  }

  /// The aggregator has applied an input.
  func endOfRiskInput() {
    guard !raised.isEmpty else { return }
    for account in raised {
      guard let view = risk.read({ $0.view(of: account) }) else { continue }
      let outstanding = shardIDs.reduce(Int128(0)) {
        $0 + (lines[Place(account: account, shard: $1)]?.outstanding ?? 0)
      }
      guard let standing = view.standing, let pending = view.pendingWithdrawals else {
        findings.breach("account \(account): a ceiling was raised while its standing cannot be measured")
        continue
      }
      let free = Int128(standing.equity.units) - Int128(standing.initialMargin.units)
      findings.check(
        outstanding + Int128(pending.units) <= free,
        "account \(account), risk entry \(risk.lastSequence): \(outstanding) units are outstanding and "
          + "\(pending.units) wait to be withdrawn, of \(free) free")
    }
    raised.removeAll(keepingCapacity: true)
  }

  // MARK: A shard's side

  /// The shard's journal holds a ceiling.
  func journalled(_ credit: Credit, at shard: MachineID) {
    let place = Place(account: credit.account, shard: shard)
    got[place] = max(got[place] ?? 0, Int128(credit.ceiling.units))
    touch(credit.account)
  }
  func journalled(_ grant: Grant) { touch(grant.account) }

  func touch(_ account: AccountID) {
    if account != .house, touched.last != account { touched.append(account) }
  }

  /// The shard has applied an input.
  func endOfInput(of shard: MachineID) {
    guard !touched.isEmpty else { return }
    if let replica = shards[shard] {
      for account in touched {
        guard let standing = replica.read({ $0.standing(account) }) else { continue }
        findings.check(
          Int128(standing.consumed.units) + Int128(standing.reserved.units) <= Int128(standing.ceiling.units),
          "\(shard), account \(account): \(standing.consumed) consumed and \(standing.reserved) reserved exceed "
            + "the ceiling \(standing.ceiling)")
      }
    }
    touched.removeAll(keepingCapacity: true)
  }

  /// All machines have gone on by an epoch. What a shard got before the last stop, the aggregator has sent by now.
  func epochEnded() {
    for (place, ceiling) in gotBefore.sorted(by: { ($0.key.shard, $0.key.account) < ($1.key.shard, $1.key.account) }) {
      let allowed = bounds[place]?.ceiling ?? 0
      findings.check(
        ceiling <= allowed,
        "\(place.shard), account \(place.account): it was sent a ceiling of \(ceiling) units; the aggregator's rules "
          + "allowed \(allowed)")
    }
    gotBefore = got
    got.removeAll(keepingCapacity: true)
  }

  func finish(isRunning: Bool) {
    guard !isRunning else { return }
    epochEnded()
    epochEnded()
  }
}
