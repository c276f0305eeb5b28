import Authority
import Market
import Messaging
import Operations

/// The authority: the real rules, asked over links that are slow, lose, and are cut.
final class SimulatedAuthority {
  /// Nanoseconds after which an answer is given up.
  static let patience: Int64 = 250_000_000
  static let leaseMilliseconds: UInt32 = 800

  private unowned let cluster: SimulatedCluster
  private var table = OwnershipTable()
  private var random: SeededGenerator
  /// It knows when a process was reaped, as a supervisor does; otherwise it only knows leases.
  let isSupervisor: Bool
  /// Cuts in force, by host; and of all.
  var cuts: [Int]
  var isDown = 0
  /// Of a thousand requests and answers, so many are lost; all take so many nanoseconds longer.
  var loss = 0
  var slowness: Int64 = 0
  private var expiryAsked = Int64.max
  /// Number of the next change when everybody was told last.
  private var told: UInt64 = 0
  private(set) var asked = 0
  private(set) var unanswered = 0

  init(_ cluster: SimulatedCluster, seed: UInt64, isSupervisor: Bool, hosts: Int) {
    self.cluster = cluster
    self.isSupervisor = isSupervisor
    random = SeededGenerator(seed: seed)
    cuts = Array(repeating: 0, count: hosts)
  }

  private var now: MonotonicTime { MonotonicTime(nanoseconds: cluster.time.now) }

  private func isReached(by host: Int) -> Bool { isDown == 0 && cuts[host] == 0 }
  private var latency: Int64 { 200_000 + slowness + Int64(random.below(3_000_000)) }
  private var isLost: Bool { loss > 0 && random.below(1_000) < loss }

  /// What stands of a machine.
  func record(of machine: MachineID) -> Ownership? { table.records.first { $0.machine == machine } }

  /// Asks; no answer says nothing of whether it was done.
  func ask(_ request: AuthorityRequest, from host: Int, _ answered: @escaping (AuthorityAnswer?) -> Void) {
    asked += 1
    var isOver = false
    func end(_ answer: AuthorityAnswer?) {
      guard !isOver else { return }
      isOver = true
      if answer == nil { unanswered += 1 }
      answered(answer)
    }
    cluster.time.schedule(after: Self.patience) { end(nil) }
    cluster.time.schedule(after: latency) { [unowned self] in
      guard isReached(by: host), !isLost else { return }
      let answer = table.apply(request, now: now)
      tellChanges()
      cluster.time.schedule(after: latency) { [unowned self] in
        if isReached(by: host), !isLost { end(answer) }
      }
    }
  }

  // MARK: What a supervisor knows

  func started(_ node: String) { if isSupervisor { table.nodeStarted(node) } }
  func reaped(_ node: String) {
    guard isSupervisor else { return }
    table.nodeEnded(node)
    tellChanges()
  }

  // MARK: Changes

  /// Tells everybody that can be reached that there is something new; who cannot asks when it can.
  private func tellChanges() {
    let isNew = table.nextChange != told
    told = table.nextChange
    for host in cluster.hosts.indices where isNew && isReached(by: host) {
      cluster.time.schedule(after: latency) { [unowned self] in
        if isReached(by: host) { cluster.hosts[host].process?.authorityHasNews() }
      }
    }
    let next = table.nextExpiry.nanoseconds
    guard next < expiryAsked else { return }
    expiryAsked = next
    cluster.time.schedule(after: next - cluster.time.now) { [unowned self] in
      expiryAsked = .max
      table.expire(now: now)
      tellChanges()
    }
  }
}
