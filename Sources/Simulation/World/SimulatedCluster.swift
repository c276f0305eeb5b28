import Clearing
import Cluster
import Cryptography
import Journal
import Listing
import Logging
import Machine
import Market
import MatcherNode
import Matching
import Messaging
import Operations
import RiskNode
import Settlement
import SettlementNode
import Wire

/// A whole cluster on simulated hosts, one process on each.
final class SimulatedCluster {
  /// A host: its clock, its disk, and the process that runs there.
  struct Host {
    let name: String
    /// What runs there; none on a spare host.
    var machine: MachineID
    var clock: HostClock
    var disk = SimulatedDisk()
    var process: (any SimulatedProcess)?
    var incarnation: UInt32 = 0
    /// Of its machine, or its copy of it; edges have none.
    var journal: SimulatedJournal?
    /// Paused processes that were given up for dead and replaced.
    var zombies: [any SimulatedProcess] = []
    /// Journals of machines of which it held a copy before.
    var shelf: [MachineID: SimulatedJournal] = [:]
    /// The journal that an old copy was put in place of.
    var displaced: SimulatedJournal?
  }

  let time: SimulatedTime
  let network: SimulatedNetwork
  let listing: Listing
  let market: MarketDefinition
  /// As the operator has published it last.
  var map: ClusterMap
  let layer: SimulatedLayer
  let log: Logger
  let configuration: HostConfiguration
  var random: SeededGenerator
  var hosts: [Host] = []
  /// What owners have let out, by machine.
  private(set) var archives: [MachineID: JournalArchive] = [:]
  /// Hosts with a copy of each machine, its home first.
  var places: [MachineID: [Int]] = [:]
  /// Who says which copy owns a machine; `nil` where each has only one.
  private(set) var authority: SimulatedAuthority?
  /// Told whenever an owner lets something of its journal out, before anybody can hear of it.
  /// The process is `nil` where it found that in its journal.
  var journalHasGrown: (MachineID, _ host: Int, _ process: UInt32?, _ contradiction: String?) -> Void = { _, _, _, _ in
  }
  /// Told whenever something happens that is worth a line.
  var tell: (@autoclosure () -> String) -> Void = { _ in }
  /// Told when a fault that waited for its moment has bitten.
  var bitten: (FaultKind) -> Void = { _ in }
  /// Processes that ended by themselves, for a reason.
  private(set) var endedTerms = 0
  /// Makes the process of an edge: gateway, marks, verifier.
  var makeEdge: (MachineID, Int, UInt32) -> any SimulatedProcess = { machine, _, _ in
    preconditionFailure("nobody makes the process of \(machine)")
  }
  /// Told when a process has made input durable; it must be the one that opened the journal last.
  var wrote: (MachineID, _ process: UInt32, _ isOwner: Bool) -> Void = { _, _, _ in }
  /// Told when an owner lets something out that it has made durable upon an old copy of its journal.
  var servedFromOldCopy: (MachineID, SequenceNumber) -> Void = { _, _ in }
  /// Old copies that were put in place of the newest journal, and noticed.
  var oldCopiesNoticed = 0
  /// Told when a process has rebuilt its machine from its journal, which ends so.
  var rebuilt: (MachineID, JournalPosition, _ stateHash: UInt64) -> Void = { _, _, _ in }

  init(seed: UInt64) throws {
    random = SeededGenerator(seed: seed)
    listing = try SimulatedMarket.listing()
    market = listing.market
    time = SimulatedTime(origin: SimulatedMarket.origin)
    layer = SimulatedLayer(VaultRules(market))
    log = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
    var configuration = HostConfiguration()
    configuration.snapshotEvery = 400
    configuration.inputsPerCommit = 32
    self.configuration = configuration
    let machines =
      market.shards.map(MachineID.shard) + [.risk, .settlement, MachineID(.gateway), .marks, MachineID(.verifier)]
    let standbys = Self.standbys(&random, market)
    let spares = standbys.isEmpty ? [] : Array(repeating: MachineID.none, count: 1 + random.below(2))
    network = SimulatedNetwork(
      time: time, hosts: machines.count + standbys.count + spares.count, seed: seed &* 31)
    var nodes: [ClusterMap.Node] = []
    for (place, machine) in (machines + standbys + spares).enumerated() {
      let isStandby = place >= machines.count
      let name = isStandby ? "node-\(place - machines.count)" : Self.name(of: machine)
      nodes.append(
        .init(
          name: name, role: Self.role(of: machine), hosts: isStandby ? [] : [machine.description],
          standbys: isStandby && machine != .none ? [machine.description] : nil, publicKey: ""))
      if machine != .none { places[machine, default: []].append(place) }
      var host = Host(
        name: name, machine: machine, clock: HostClock(boot: Int64(1 + random.below(1_000)) * 1_000_000_000))
      if machine.kind == .shard || machine == .risk || machine == .settlement {
        host.journal = SimulatedJournal(machine)
        if !isStandby { archives[machine] = JournalArchive(machine) }
      }
      hosts.append(host)
    }
    map = ClusterMap(
      dataDirectory: "", nodes: nodes, endpoints: [:], operatorPublicKey: "", shardCount: Int(market.shardCount),
      settings: .init())
    if !standbys.isEmpty {
      authority = SimulatedAuthority(
        self, seed: random.next(), isSupervisor: random.below(2) == 0, hosts: hosts.count)
    }
  }

  /// Machines that have a standby, each as often as it has one: none at all for one seed in three.
  private static func standbys(_ random: inout SeededGenerator, _ market: MarketDefinition) -> [MachineID] {
    guard random.below(3) > 0 else { return [] }
    return (market.shards.map(MachineID.shard) + [.risk, .settlement]).filter { _ in random.below(3) > 0 }
  }

  private static func name(of machine: MachineID) -> String {
    machine.shard.map { "matcher-\($0)" } ?? machine.description
  }
  static func role(of machine: MachineID) -> ClusterMap.Role {
    switch machine.kind {
    case .shard: .matcher
    case .risk: .risk
    case .settlement: .settlement
    case .marks: .marks
    case .verifier: .verifier
    default: .gateway
    }
  }

  /// Hosts with a copy of a machine, its home first.
  func copies(of machine: MachineID) -> [Int] { places[machine] ?? [] }
  func archive(of machine: MachineID) -> JournalArchive? { archives[machine] }
  /// Machines that have a journal, the shards first, in order.
  var hosted: [MachineID] { market.shards.map(MachineID.shard) + [.risk, .settlement] }

  // MARK: Processes

  /// Starts a host's process anew; false when its journal keeps it from being hosted.
  @discardableResult func start(_ host: Int) -> Bool {
    hosts[host].incarnation += 1
    authority?.started(hosts[host].name)
    let machine = hosts[host].machine
    let incarnation = hosts[host].incarnation
    do {
      switch machine.kind {
      case .shard:
        try serve(
          SimulatedHost<ShardMachine>(
            machine, role: MatcherNode.role(machine, map: map, market: market), on: self, host: host,
            incarnation: incarnation, journal: hosts[host].journal!))
      case .risk:
        try serve(
          SimulatedHost<RiskMachine>(
            machine, role: RiskNode.role(market: market), on: self, host: host, incarnation: incarnation,
            journal: hosts[host].journal!))
      case .settlement:
        try serve(
          SimulatedHost<SettlementMachine>(
            machine, role: SettlementNode.role(market: market, layer: layer), on: self, host: host,
            incarnation: incarnation, journal: hosts[host].journal!))
      default: hosts[host].process = makeEdge(machine, host, incarnation)
      }
      tell("\(hosts[host].name) starts, process \(incarnation)")
      return true
    } catch {
      tell("\(hosts[host].name) cannot start: \(error)")
      return false
    }
  }

  private func serve<M: Machine & ~Copyable>(_ process: SimulatedHost<M>) {
    hosts[process.host].process = process
    if let journal = hosts[process.host].journal {
      rebuilt(process.id, journal.position, process.read { $0.stateHash() })
    }
    process.start()
  }

  /// Kills a host's process, and reaps it.
  func kill(_ host: Int) {
    guard let process = hosts[host].process else { return }
    tell("\(hosts[host].name) is killed, process \(process.incarnation)")
    process.kill()
    hosts[host].process = nil
    authority?.reaped(hosts[host].name)
  }

  /// A process has ended its term by itself: its supervisor starts it again, a little later.
  func processEnded(_ host: Int, _ incarnation: UInt32, _ reason: String) {
    endedTerms += 1
    tell("\(hosts[host].name), process \(incarnation), ends its term: \(reason)")
    noticeOldCopy(host, reason)
    if let zombie = hosts[host].zombies.firstIndex(where: { $0.incarnation == incarnation }) {
      hosts[host].zombies.remove(at: zombie).kill()
      return
    }
    guard let process = hosts[host].process, process.incarnation == incarnation else { return }
    process.kill()
    hosts[host].process = nil
    authority?.reaped(hosts[host].name)
    restart(host, after: 100_000_000 + Int64(random.below(200_000_000)))
  }

  /// Starts a host's process after a while, if none runs there by then; again and again until it can.
  func restart(_ host: Int, after delay: Int64) {
    time.schedule(after: delay) { [unowned self] in
      guard hosts[host].process == nil, hosts[host].machine != .none else { return }
      if !start(host) {
        // Damaged: its operator puts the verifier's copy in its place.
        hosts[host].journal?.restore()
        restart(host, after: 300_000_000)
      }
    }
  }

  // MARK: The disk

  /// Throws what a host's disk says to a write now.
  func admitWrite(on host: Int) throws {
    if hosts[host].disk.isFull { throw SimulatedDiskError.full }
    if hosts[host].disk.failures > 0 {
      hosts[host].disk.failures -= 1
      throw SimulatedDiskError.failed
    }
  }

  /// An owner lets out what is in its journal up to an entry.
  func released(by host: Int, _ process: UInt32, through last: SequenceNumber, isInherited: Bool) {
    let machine = hosts[host].machine
    guard let journal = hosts[host].journal, let archive = archives[machine] else { return }
    let end = archive.position.sequence
    let contradiction = archive.extend(from: journal, through: last)
    if hosts[host].displaced != nil, !isInherited {
      // An old copy that has followed another copy to the end is none any more.
      if contradiction == nil { hosts[host].displaced = nil } else { servedFromOldCopy(machine, last) }
    }
    guard contradiction != nil || archive.position.sequence > end else { return }
    time.note(archive.position.sequence.rawValue)
    journalHasGrown(machine, host, isInherited ? nil : process, contradiction)
  }

  // MARK: Frames

  /// From a socket that was connected to a machine's copy on a host.
  func send(_ frame: [UInt8], from peer: PeerName, to machine: MachineID, on host: Int) -> Socket.SendResult {
    // Nobody is connected: what is sent now waits with its sender.
    guard hosts[host].process != nil && hosts[host].machine == machine || network.isCut(peer.host, host) else {
      return .wouldBlock
    }
    return network.send(from: peer.host, to: host) { [unowned self] in
      guard hosts[host].machine == machine else { return }
      hosts[host].process?.arrived(frame, from: peer.bytes, named: hosts[peer.host].name)
    }
  }

  /// To a socket that a peer had connected.
  func send(_ frame: [UInt8], from host: Int, toPeer peer: PeerName) -> Socket.SendResult {
    guard hosts[peer.host].process?.incarnation == peer.incarnation || network.isCut(host, peer.host) else {
      return .unreachable
    }
    return network.send(from: host, to: peer.host) { [unowned self] in
      guard let process = hosts[peer.host].process, process.incarnation == peer.incarnation else { return }
      process.arrived(frame, atSocket: peer.socket)
    }
  }
}
