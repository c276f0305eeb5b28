import Market

/// Makes one gap-free story for a watcher of what comes from an authority in pieces: changes, which may be lost,
/// repeated or out of order, and everything that stands, where changes are not kept.
public struct ChangeFollower: Sendable {
  private var era: UInt64 = 0
  private var next: UInt64 = 0
  private var revisions: [MachineID: UInt64] = [:]
  private var alive: Set<String> = []

  public init() {}

  /// What to ask for next.
  public var request: AuthorityRequest { .follow(era: era, next: next) }

  /// What is new to the watcher in `answer`, in order.
  public mutating func take(_ answer: AuthorityAnswer) -> [AuthorityChange] {
    switch answer {
    case .everything(let era, let next, let records, let nodes):
      // One that was asked for twice may arrive twice, the older after changes that followed the younger.
      guard era > self.era || (era == self.era && next > self.next) || self.era == 0 else { return [] }
      self.era = era
      self.next = next
      return everything(records, alive: nodes)
    case .changes(let era, let first, let changes):
      guard era == self.era, first <= next, first + UInt64(changes.count) > next else { return [] }
      let fresh = changes.dropFirst(Int(next - first))
      next += UInt64(fresh.count)
      return fresh.filter { note($0) }
    default: return []
    }
  }

  /// Whether `answer` shows that something before it was missed, so that it should be asked for at once.
  public func missedSomething(before answer: AuthorityAnswer) -> Bool {
    guard case .changes(let era, let first, _) = answer else { return false }
    return era != self.era || first > next
  }

  /// Tells all that stands, and of nodes that went meanwhile.
  mutating func everything(_ records: [Ownership], alive nodes: [String]) -> [AuthorityChange] {
    var told: [AuthorityChange] = []
    for record in records where note(.owned(record)) { told.append(.owned(record)) }
    let now = Set(nodes)
    for node in alive.subtracting(now).sorted() { told.append(.nodeDown(node, .silent)) }
    for node in now.subtracting(alive).sorted() { told.append(.nodeUp(node)) }
    alive = now
    return told + [.caughtUp]
  }

  /// Takes note of a change; `false` if the watcher knows it already.
  mutating func note(_ change: AuthorityChange) -> Bool {
    switch change {
    case .owned(let record):
      guard record.revision > revisions[record.machine] ?? 0 else { return false }
      revisions[record.machine] = record.revision
      return true
    case .nodeUp(let node): return alive.insert(node).inserted
    case .nodeDown(let node, _): return alive.remove(node) != nil
    case .caughtUp: return true
    }
  }
}
