import Bytes
import Clearing
import Cluster
import Foundation
import Journal
import Listing
import Machine
import Market
import Matching
import Settlement
import SettlementNode
import VerifierNode

/// Checks from outside what must always be true, by the clients' own logs, the journals and the settlement layer alone.
public enum Auditor {
  /// Audits the cluster whose data lie in `dataDirectory`.
  /// - Parameter isRunning: the cluster goes on meanwhile: the audit ends with the last final epoch, and says nothing
  /// of
  ///   what lies after it. Without it the cluster must be stopped and wound down, and everything is asked for.
  /// - Throws: why the directory cannot be audited at all.
  public static func audit(dataDirectory: String, isRunning: Bool = false) throws -> AuditReport {
    let path = URL(fileURLWithPath: dataDirectory).standardizedFileURL.path
    let market = try market(in: path)
    let map = ClusterMap(
      dataDirectory: path, nodes: [], endpoints: [:], operatorPublicKey: "", shardCount: Int(market.shardCount),
      settings: .init())
    let ledger = try LedgerEvidence(directory: map.ledgerDirectory, currencies: market.currencies.count)
    let clients = try ClientEvidence(directory: map.clientLogDirectory)
    let machines = try ClusterReexecution.open(map: map, market: market)
    let isWhole = try machines.together.all.allSatisfy { try $0.copies.isWhole() }
    if !isWhole {
      return try auditTruncated(
        machines, again: ClusterReexecution.open(map: map, market: market), market: market, ledger: ledger,
        clients: clients, isRunning: isRunning)
    }
    return try audit(
      machines, market: market, ledger: ledger, clients: clients, isRunning: isRunning
    ) { machine in
      let replica = machines.together.all.first { $0.id == machine }
      return try JournalReader(
        directory: replica?.copies.latest() ?? map.journalDirectory(of: machine), machine: machine)
    }
  }

  /// Audits machines that were not re-executed yet, wherever their journals are.
  /// - Parameter journal: each machine's, to be executed a second time.
  package static func audit(
    _ machines: ClusterReexecution.Machines, market: MarketDefinition, ledger: LedgerEvidence,
    clients: ClientEvidence, isRunning: Bool, journal: (MachineID) throws -> any ReadableJournal
  ) throws -> AuditReport {
    let walk = ClusterWalk(
      machines, market: market, clients: clients, lastFinalEpoch: ledger.lastFinalEpoch, isRunning: isRunning)
    try walk.run(past: isRunning ? ledger.lastFinalEpoch : nil)
    for shard in machines.shards { walk.determinism.executeAgain(shard, try journal(shard.id)) }
    walk.determinism.executeAgain(machines.risk, try journal(.risk))
    walk.determinism.executeAgain(machines.settlement, try journal(.settlement))
    return try conclude(walk, machines, clients, ledger, isRunning: isRunning)
  }

  /// Invariants that can be checked from the midst of the journals on.
  private static let checkedWhenTruncated: Set<InvariantName> = [
    .acknowledgedOnce, .deterministic, .oneOwner, .rootChain, .exit, .streams, .liveness,
  ]

  /// Audits what is left of truncated journals, each from its earliest verified snapshot on. What follows from every
  /// order since the first cannot be checked then, and counts as unchecked.
  private static func auditTruncated(
    _ machines: ClusterReexecution.Machines, again: ClusterReexecution.Machines, market: MarketDefinition,
    ledger: LedgerEvidence, clients: ClientEvidence, isRunning: Bool
  ) throws -> AuditReport {
    let walk = ClusterWalk(
      machines, market: market, clients: clients, lastFinalEpoch: ledger.lastFinalEpoch, isRunning: isRunning)
    try walk.run(past: isRunning ? ledger.lastFinalEpoch : nil)
    for (machine, second) in zip(machines.together.all, again.together.all) {
      walk.determinism.executeAgain(machine, as: second)
    }
    var report = try conclude(walk, machines, clients, ledger, isRunning: isRunning)
    report.from_sequence = Dictionary(
      uniqueKeysWithValues: machines.together.all.map { ($0.id.description, $0.firstSequence.rawValue) })
    for place in report.invariants.indices {
      let name = InvariantName(rawValue: report.invariants[place].name)
      if let name, checkedWhenTruncated.contains(name) { continue }
      report.invariants[place] = AuditReport.Invariant(
        name: report.invariants[place].name, checks: 0, breaches: 0,
        details: ["not checked: it follows from every order since the first, and the journals were truncated"])
    }
    return report
  }

  /// The market as the coordinator's journal begins with it.
  private static func market(in path: String) throws -> MarketDefinition {
    let map = ClusterMap(
      dataDirectory: path, nodes: [], endpoints: [:], operatorPublicKey: "", shardCount: 0, settings: .init())
    let directory = try JournalCopies(of: .settlement, in: map.journalDirectories(of: .settlement)).latest()
    guard FileManager.default.fileExists(atPath: directory) else {
      throw AuditError(path: path, reason: "no cluster has left its journals here; name its directory with --data")
    }
    let reader = try JournalReader(directory: directory, machine: .settlement)
    var market: MarketDefinition?
    if try reader.base().isBeginning {
      try reader.forEachEntry(from: SequenceNumber(1)) { header, payload in
        if header.kind == .genesis { market = try? MarketDefinition(decoding: payload) }
        return false
      }
    } else if let bytes = FileManager.default.contents(atPath: map.listingFile) {
      // The first entry is gone; the machines' snapshots must be of this market, or they are refused.
      market = try? Listing(decoding: [UInt8](bytes)).market
    }
    guard let market else {
      throw AuditError(
        path: directory, reason: "neither its first entry nor \(map.listingFile) tells the market that was opened")
    }
    return market
  }

  private static func conclude(
    _ walk: ClusterWalk, _ machines: ClusterReexecution.Machines, _ clients: ClientEvidence, _ ledger: LedgerEvidence,
    isRunning: Bool
  ) throws -> AuditReport {
    walk.ownership.acknowledgements(clients)
    walk.acknowledgements.finish(isRunning: isRunning)
    walk.credit.finish(isRunning: isRunning)
    walk.orderTerms.finish(isRunning: isRunning)
    walk.streams.finish(machines.together.all, isRunning: isRunning)

    let exit = ExitCheck()
    var deposits = DepositSums(currencies: walk.rootChain.ledger.currencies)
    var lastPost: (epoch: Epoch, hash: Digest, depositCursor: UInt64)?
    try ledger.forEachStep { step in
      switch step {
      case .deposited(let deposit):
        deposits.append(deposit)
        walk.solvency.deposited(deposit)
      case .posted(let post):
        walk.liveness.posted(post.header.epoch, after: lastPost?.epoch ?? Epoch(0))
        walk.rootChain.posted(post)
        if walk.rootChain.isFollowing { walk.solvency.final(post, walk.rootChain.ledger.book.accounts) }
        walk.conservation.final(post.header, walk.rootChain.ledger.book, deposits)
        lastPost = (post.header.epoch, post.header.headerHash, post.header.depositCursor)
      case .paid(_, let currency, let amount): walk.solvency.paid(currency, amount)
      case .impossible(let what): walk.rootChain.impossible(what)
      }
    }
    walk.conservation.finish(deposits: deposits)
    exit.finish(walk.rootChain.ledger, headerHash: lastPost?.hash)
    for published in walk.rootChain.ledger.book.accounts {
      walk.positions.leaf(published.leaf.account, published.positions.map { ($0.instrument, $0.lots) })
    }
    walk.positions.finish()
    walk.liveness.finish(
      machines: machines.together.all.map(\.id), evidence: clients, deposits: deposits.count,
      consumedDeposits: lastPost?.depositCursor ?? 0)

    return AuditReport(
      state_root: walk.rootChain.ledger.root.description, epochs: Int(ledger.lastFinalEpoch.rawValue),
      invariants: (walk.findings + [exit.findings]).inOrder.map(\.finding))
  }
}
