import Bytes
import Market
import Messaging

/// The rules of an authority, with no clock and no I/O: requests in, answers out. The supervisor's server is a thin
/// shell around one; a simulation asks one directly, and delays or drops what it likes.
///
/// `now` is the authority's own clock; it never goes back. A lease runs from the request that granted or renewed it to
/// `milliseconds` later, or to its node's end.
public struct OwnershipTable: Sendable {
  /// A lease as the authority sees it.
  struct HeldLease: Sendable, Hashable {
    var identifier: UInt64
    var node: String
    /// Tells the request that it was granted to from a later one of the same node.
    var nonce: UInt64
    var milliseconds: UInt32
    var expires: MonotonicTime
  }

  /// In order of machine.
  public private(set) var records: [Ownership] = []
  /// In order of node: one each.
  private(set) var leases: [HeldLease] = []
  /// Nodes whose process is known to have ended and not to have been started again.
  private var ended: Set<String> = []
  /// Revision of the youngest record.
  public private(set) var revision: UInt64 = 0
  private(set) var lastLease: UInt64 = 0
  /// How often the table was started; changes are numbered anew in each era.
  public private(set) var era: UInt64
  /// The last changes, `firstKept` the number of the first of them.
  private var changes: [AuthorityChange] = []
  private var firstKept: UInt64 = 1
  /// Grows with everything that must outlast the process.
  public private(set) var edition: UInt64 = 0

  /// Changes kept for followers that were away.
  private static let changesKept = 1_024
  /// Limits of a lease.
  public static let leaseMilliseconds: ClosedRange<UInt32> = 50...600_000

  /// An authority that holds nothing yet.
  public init() { era = 1 }

  /// The authority, started again with what it held. A lease may have been renewed at the last moment, so it runs anew
  /// from `now`: longer than its holder may believe, never shorter.
  init(
    records: [Ownership], revision: UInt64, leases: [HeldLease], lastLease: UInt64, previousEra: UInt64,
    now: MonotonicTime
  ) {
    self.records = records.sorted { $0.machine < $1.machine }
    self.revision = revision
    self.leases = leases.sorted { $0.node < $1.node }.map { lease in
      var lease = lease
      lease.expires = Self.end(of: lease.milliseconds, from: now)
      return lease
    }
    self.lastLease = lastLease
    era = previousEra + 1
  }

  /// The same authority after its process died and was started again at `now`: it keeps what was durable.
  public func restarted(now: MonotonicTime) -> OwnershipTable {
    OwnershipTable(
      records: records, revision: revision, leases: leases, lastLease: lastLease, previousEra: era, now: now)
  }

  // MARK: Requests

  /// Does what is asked. Every answer reflects the leases that are live at `now`.
  public mutating func apply(_ request: AuthorityRequest, now: MonotonicTime) -> AuthorityAnswer {
    expire(now: now)
    switch request {
    case .ownership(let machine): return .ownership(record(of: machine))
    case .replace(let record, let expected): return replace(record, expecting: expected)
    case .grantLease(let node, let nonce, let milliseconds): return grant(node, nonce, milliseconds, now)
    case .renew(let identifier):
      guard let index = leases.firstIndex(where: { $0.identifier == identifier }) else { return .lapsed }
      return renew(index, now)
    case .release(let identifier):
      if let lease = leases.first(where: { $0.identifier == identifier }) { end(lease, .released) }
      return .released
    case .isAlive(let node): return .alive(isAlive(node))
    case .follow(let era, let next): return following(era: era, next: next)
    }
  }

  private func record(of machine: MachineID) -> Ownership? { records.first { $0.machine == machine } }
  /// Whose lease it is; `nil` if it has ended.
  func node(ofLease identifier: UInt64) -> String? { leases.first { $0.identifier == identifier }?.node }
  private func isAlive(_ node: String) -> Bool { leases.contains { $0.node == node } }

  /// A record that stands already as asked, and was written after `expected`, is this request's own, asked again after
  /// its answer was lost.
  private mutating func replace(_ record: Ownership, expecting expected: UInt64) -> AuthorityAnswer {
    if let problem = record.problem { return .rejected(problem) }
    let current = self.record(of: record.machine)
    if let current, current.revision > expected, current.saysTheSame(as: record) {
      return .replacement(.replaced(current))
    }
    guard (current?.revision ?? 0) == expected else { return .replacement(.refused(current: current)) }
    revision += 1
    var written = record
    written.revision = revision
    let place = records.firstIndex { $0.machine >= record.machine } ?? records.count
    if current != nil { records[place] = written } else { records.insert(written, at: place) }
    edition += 1
    tell(.owned(written))
    return .replacement(.replaced(written))
  }

  // MARK: Leases

  private mutating func grant(
    _ node: String, _ nonce: UInt64, _ milliseconds: UInt32, _ now: MonotonicTime
  ) -> AuthorityAnswer {
    guard Ownership.isName(node) else { return .rejected("'\(node)' is no node's name") }
    guard Self.leaseMilliseconds.contains(milliseconds) else {
      let (least, most) = (Self.leaseMilliseconds.lowerBound, Self.leaseMilliseconds.upperBound)
      return .rejected("a lease of \(milliseconds) ms: it must be from \(least) to \(most) ms")
    }
    // What a process asked for before it died may be read after it was reaped.
    guard !ended.contains(node) else { return .rejected("the process of \(node) has ended") }
    if let index = leases.firstIndex(where: { $0.node == node && $0.nonce == nonce }) { return renew(index, now) }
    let wasAlive = isAlive(node)
    leases.removeAll { $0.node == node }
    lastLease += 1
    let place = leases.firstIndex { $0.node > node } ?? leases.count
    let expires = Self.end(of: milliseconds, from: now)
    leases.insert(
      HeldLease(identifier: lastLease, node: node, nonce: nonce, milliseconds: milliseconds, expires: expires),
      at: place)
    edition += 1
    if !wasAlive { tell(.nodeUp(node)) }
    return .leased(identifier: lastLease, milliseconds: milliseconds)
  }

  private mutating func renew(_ index: Int, _ now: MonotonicTime) -> AuthorityAnswer {
    leases[index].expires = Self.end(of: leases[index].milliseconds, from: now)
    return .leased(identifier: leases[index].identifier, milliseconds: leases[index].milliseconds)
  }

  private mutating func end(_ lease: HeldLease, _ loss: NodeLoss) {
    leases.removeAll { $0.identifier == lease.identifier }
    edition += 1
    tell(.nodeDown(lease.node, loss))
  }

  private static func end(of milliseconds: UInt32, from now: MonotonicTime) -> MonotonicTime {
    now.advanced(by: Int64(milliseconds) * 1_000_000)
  }

  /// Ends the leases that have run out at `now`.
  public mutating func expire(now: MonotonicTime) {
    for lease in leases.filter({ $0.expires <= now }).sorted(by: { $0.expires < $1.expires }) { end(lease, .silent) }
  }

  /// When the next lease runs out; `never` if there is none.
  public var nextExpiry: MonotonicTime { leases.map(\.expires).min() ?? .never }

  /// The process of `node` has ended and was reaped: its lease ends, and it gets none until it is started again.
  public mutating func nodeEnded(_ node: String) {
    ended.insert(node)
    if let lease = leases.first(where: { $0.node == node }) { end(lease, .ended) }
  }

  /// The process of `node` is about to be started.
  public mutating func nodeStarted(_ node: String) { ended.remove(node) }

  // MARK: Changes

  private mutating func tell(_ change: AuthorityChange) {
    changes.append(change)
    // Twice as many are kept for a moment, so that trimming costs little.
    guard changes.count > 2 * Self.changesKept else { return }
    let surplus = changes.count - Self.changesKept
    changes.removeFirst(surplus)
    firstKept += UInt64(surplus)
  }

  /// Number of the next change.
  public var nextChange: UInt64 { firstKept + UInt64(changes.count) }

  /// The changes of this era from number `next` on, or, if they are not kept, all that stands.
  public func changes(from next: UInt64) -> AuthorityAnswer { following(era: era, next: next) }

  private func following(era: UInt64, next: UInt64) -> AuthorityAnswer {
    guard era == self.era, next >= firstKept, next <= nextChange else {
      return .everything(era: self.era, next: nextChange, records: records, alive: leases.map(\.node))
    }
    return .changes(era: era, first: next, Array(changes[Int(next - firstKept)...]))
  }
}
