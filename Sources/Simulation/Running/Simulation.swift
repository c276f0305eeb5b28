import Cluster
import Journal
import Listing
import Foundation
import Machine
import Market
import Matching
import Operations
import Pricing
import Settlement
import VerifierNode

/// One seed: a whole cluster from its genesis, through faults, to its convergence.
final class Simulation {
  /// Simulated nanoseconds within which everything acknowledged is settled once faults are healed.
  static let convergence: Int64 = 20_000_000_000

  let seed: UInt64
  let options: SimulationOptions
  let cluster: SimulatedCluster
  let watch: Watch
  let clients: SimulatedClients
  var marks: SimulatedMarks.Source
  let faults: FaultInjector
  private(set) var acknowledgements = 0
  private(set) var log: [String] = []
  private(set) var breaches: [SimulationBreach] = []
  /// The last events before the first breach.
  private(set) var firstBreachLog: [String]?
  private let watched: [Findings]
  private var counted: [Int]
  private var audited: [InvariantName: Int] = [:]
  private var sought: String?
  private var isFound: Bool { sought.map { name in breaches.contains { $0.invariant == name } } ?? false }

  init(seed: UInt64, options: SimulationOptions) throws {
    self.seed = seed
    self.options = options
    var random = SeededGenerator(seed: seed)
    cluster = try SimulatedCluster(seed: random.next())
    watch = Watch(cluster)
    watched = watch.findings
    counted = Array(repeating: 0, count: watched.count)
    clients = SimulatedClients(
      options.clients, on: cluster, seed: random.next(), pace: 20_000_000 + Int64(random.below(80_000_000)))
    let walk = try IndexWalk(
      seed: random.next(), opening: cluster.market.underlyings[0].openingIndex,
      volatility: [0.5, 2, 6, 10][random.below(4)], origin: SimulatedMarket.origin)
    marks = SimulatedMarks.Source(calculator: try cluster.listing.markCalculator(), walk: walk)
    faults = FaultInjector(seed: random.next(), cluster: cluster, options: options)
    connect()
  }

  private func connect() {
    cluster.makeEdge = { [unowned self] machine, host, incarnation in
      let edge: SimulatedEdge =
        switch machine.kind {
        case .marks: SimulatedMarks(on: self, host: host, incarnation: incarnation)
        case .verifier: SimulatedVerifier(on: self, host: host, incarnation: incarnation)
        default: SimulatedGateway(on: self, host: host, incarnation: incarnation)
        }
      edge.after(0) { edge.begin() }
      return edge
    }
    cluster.journalHasGrown = { [unowned self] machine, host, process, contradiction in
      if let contradiction {
        // Whoever begins with less than was let out has lost it; whoever goes on so is not the only owner.
        let findings = process == nil ? watch.acknowledgedOnce.findings : watch.oneOwner.findings
        findings.breach("\(machine): \(contradiction)")
      }
      watch.grown(machine)
      if let process, let archive = cluster.archive(of: machine) {
        watch.oneOwner.released(machine, by: host, process, in: archive.position.term)
      }
    }
    cluster.servedFromOldCopy = { [unowned self] machine, last in
      watch.acknowledgedOnce.findings.breach("\(machine): entry \(last) is let out from an old copy of the journal")
    }
    cluster.wrote = { [unowned self] machine, process, isOwner in
      watch.oneOwner.wrote(machine, process, isOwner)
    }
    cluster.rebuilt = { [unowned self] machine, position, hash in
      // A copy may be behind what was let out, or ahead.
      let replica = watch.replica(of: machine)
      guard replica.lastSequence == position.sequence,
        cluster.archive(of: machine)?.position.chainHead == position.chainHead
      else { return }
      watch.deterministic.compare(
        machine, running: hash, reexecuted: replica.stateHash, "rebuilt at entry \(position.sequence)")
    }
    cluster.tell = { [unowned self] line in note(line()) }
  }

  /// A client holds an answer.
  func acknowledged(_ reply: ActionReply) {
    acknowledgements += 1
    watch.acknowledgedOnce.acknowledged(reply)
    clients.replied(reply)
  }

  func note(_ line: String) {
    if log.count >= 2 * options.keptLines { log.removeFirst(options.keptLines) }
    log.append("\(cluster.time.steps) \(Self.text(of: cluster.time.now)) \(line)")
  }

  private static func text(of nanoseconds: Int64) -> String {
    let microseconds = nanoseconds / 1_000
    let fraction = "\(microseconds % 1_000_000)"
    return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
  }

  // MARK: Running

  /// - Parameter sought: an invariant; once it is breached, the rest is left out.
  func run(until sought: String? = nil) -> SeedOutcome {
    self.sought = sought
    for host in cluster.hosts.indices {
      // Nobody starts at the same moment.
      cluster.time.schedule(after: Int64(host) * 3_000_000) { [unowned self] in cluster.start(host) }
    }
    faults.begin()
    while cluster.time.steps < options.steps, !isFound, cluster.time.step() { judge() }
    if !isFound {
      faults.heal()
      note("all faults are healed")
      converge()
    }
    if !isFound { audit() }
    let outcome = SeedOutcome(self)
    cluster.time.end()
    for host in cluster.hosts.indices { cluster.kill(host) }
    return outcome
  }

  /// Looks whether the step just made breached anything.
  private func judge() {
    for (place, findings) in watched.enumerated() where findings.breaches > counted[place] {
      for detail in findings.details.dropFirst(counted[place]) { breached(findings.invariant, detail) }
      counted[place] = findings.breaches
    }
  }

  private func breached(_ invariant: InvariantName, _ what: String) {
    if firstBreachLog == nil {
      note("BREACH of \(invariant.rawValue): \(what)")
      firstBreachLog = Array(log.suffix(options.keptLines))
    }
    breaches.append(
      SimulationBreach(seed: seed, invariant: invariant.rawValue, step: cluster.time.steps, what: what))
  }

  // MARK: The end

  /// Runs on without faults until everything acknowledged is settled.
  private func converge() {
    clients.isWindingDown = true
    // Who has breached something need not converge.
    let bound = breaches.isEmpty ? Self.convergence : Self.convergence / 20
    let end = cluster.time.now + bound
    while cluster.time.now < end, !isFound, watch.unsettled(clients) != nil {
      // Looking costs more than a step.
      for _ in 0..<50 where !isFound && cluster.time.step() { judge() }
    }
    if isFound { return }
    if watch.unsettled(clients) != nil {
      for epoch in watch.machines.settlement.read({ $0.status.unfinished }) {
        note("epoch \(epoch.epoch): \(epoch.phase)")
      }
      for host in cluster.hosts { note((host.process as? any JournalWriter)?.standing ?? "\(host.name)") }
    }
    watch.liveness.converged(within: bound, watch.unsettled(clients))
    judge()
  }

  /// Executes everything again from the beginning and audits it as a cluster that was wound down.
  private func audit() {
    do {
      let layer = cluster.layer
      let ledger = try LedgerEvidence(currencies: cluster.market.currencies.count) { body in
        try layer.transactions(from: 0).forEach(body)
      }
      let report = try Auditor.audit(
        Watch.machines(of: cluster), market: cluster.market, ledger: ledger,
        clients: ClientEvidence(watch.acknowledgedOnce.evidence), isRunning: false
      ) { [cluster] in
        guard let journal = cluster.archive(of: $0) else { throw AuditError(path: "\($0)", reason: "no journal") }
        return journal
      }
      for finding in report.invariants {
        guard let invariant = InvariantName(rawValue: finding.name) else { continue }
        audited[invariant, default: 0] += finding.checks
        for detail in finding.details { breached(invariant, detail) }
      }
    } catch {
      breached(.deterministic, "the journals cannot be audited: \(error)")
    }
  }

  /// Checks of each invariant, those at the end included.
  func checks(of invariant: InvariantName) -> Int {
    watched.reduce(audited[invariant] ?? 0) { $1.invariant == invariant ? $0 + $1.checks : $0 }
  }
}
