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
    let machine: MachineID
    var clock: HostClock
    var disk = SimulatedDisk()
    var process: (any SimulatedProcess)?
    var incarnation: UInt32 = 0
    /// Paused processes that were given up for dead and replaced.
    var zombies: [any SimulatedProcess] = []
  }

  let time: SimulatedTime
  let network: SimulatedNetwork
  let listing: Listing
  let market: MarketDefinition
  let map: ClusterMap
  let layer: SimulatedLayer
  let log: Logger
  let configuration: HostConfiguration
  var random: SeededGenerator
  var hosts: [Host] = []
  private(set) var journals: [MachineID: SimulatedJournal] = [:]
  private var places: [MachineID: Int] = [:]
  /// Told whenever a journal has grown, before anybody can hear of what is new in it.
  var journalHasGrown: (MachineID, _ process: UInt32) -> Void = { _, _ in }
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
  /// Told when a process has opened a machine's journal, and so owns it in a term.
  var owns: (MachineID, _ process: UInt32, Term) -> Void = { _, _, _ in }
  /// Told when a process begins to serve a machine in a term, after its machine was rebuilt.
  var serves: (MachineID, Term, _ stateHash: UInt64) -> Void = { _, _, _ in }

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
      market.shards.map(MachineID.shard) + [
        .risk, .settlement, MachineID(.gateway), .marks, MachineID(.verifier),
      ]
    network = SimulatedNetwork(time: time, hosts: machines.count, seed: seed &* 31)
    var nodes: [ClusterMap.Node] = []
    for (place, machine) in machines.enumerated() {
      let name = Self.name(of: machine)
      nodes.append(.init(name: name, role: Self.role(of: machine), hosts: [machine.description], publicKey: ""))
      places[machine] = place
      let clock = HostClock(boot: Int64(1 + random.below(1_000)) * 1_000_000_000)
      hosts.append(Host(name: name, machine: machine, clock: clock))
      if machine.kind == .shard || machine == .risk || machine == .settlement {
        journals[machine] = SimulatedJournal(machine)
      }
    }
    map = ClusterMap(
      dataDirectory: "", nodes: nodes, endpoints: [:], operatorPublicKey: "", shardCount: Int(market.shardCount),
      settings: .init())
  }

  private static func name(of machine: MachineID) -> String {
    machine.shard.map { "matcher-\($0)" } ?? machine.description
  }
  private static func role(of machine: MachineID) -> ClusterMap.Role {
    switch machine.kind {
    case .shard: .matcher
    case .risk: .risk
    case .settlement: .settlement
    case .marks: .marks
    case .verifier: .verifier
    default: .gateway
    }
  }

  func place(of machine: MachineID) -> Int { places[machine] ?? 0 }
  func journal(of machine: MachineID) -> SimulatedJournal? { journals[machine] }
  /// Machines that have a journal, the shards first, in order.
  var hosted: [MachineID] { market.shards.map(MachineID.shard) + [.risk, .settlement] }

  // MARK: Processes

  /// Starts a host's process anew; false when its journal keeps it from being hosted.
  @discardableResult func start(_ host: Int) -> Bool {
    hosts[host].incarnation += 1
    let machine = hosts[host].machine
    let incarnation = hosts[host].incarnation
    do {
      switch machine.kind {
      case .shard:
        try serve(
          SimulatedHost<ShardMachine>(
            machine, role: MatcherNode.role(machine, map: map, market: market), on: self, host: host,
            incarnation: incarnation, journal: journals[machine]!))
      case .risk:
        try serve(
          SimulatedHost<RiskMachine>(
            machine, role: RiskNode.role(market: market), on: self, host: host, incarnation: incarnation,
            journal: journals[machine]!))
      case .settlement:
        try serve(
          SimulatedHost<SettlementMachine>(
            machine, role: SettlementNode.role(market: market, layer: layer), on: self, host: host,
            incarnation: incarnation, journal: journals[machine]!))
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
    serves(process.id, process.term, process.read { $0.stateHash() })
    process.start()
  }

  /// Kills a host's process, and reaps it.
  func kill(_ host: Int) {
    guard let process = hosts[host].process else { return }
    tell("\(hosts[host].name) is killed, process \(process.incarnation)")
    process.kill()
    hosts[host].process = nil
  }

  /// A process has ended its term by itself: its supervisor starts it again, a little later.
  func processEnded(_ host: Int, _ incarnation: UInt32, _ reason: String) {
    endedTerms += 1
    tell("\(hosts[host].name), process \(incarnation), ends its term: \(reason)")
    if let zombie = hosts[host].zombies.firstIndex(where: { $0.incarnation == incarnation }) {
      hosts[host].zombies.remove(at: zombie).kill()
      return
    }
    guard let process = hosts[host].process, process.incarnation == incarnation else { return }
    process.kill()
    hosts[host].process = nil
    restart(host, after: 100_000_000 + Int64(random.below(200_000_000)))
  }

  /// Starts a host's process after a while, if none runs there by then; again and again until it can.
  func restart(_ host: Int, after delay: Int64) {
    time.schedule(after: delay) { [unowned self] in
      guard hosts[host].process == nil else { return }
      if !start(host) {
        // Damaged: its operator puts the verifier's copy in its place.
        journals[hosts[host].machine]?.restore()
        restart(host, after: 300_000_000)
      }
    }
  }

  // MARK: The disk

  /// Throws what the disk under a machine's journal says to a write now.
  func admitWrite(of machine: MachineID) throws {
    let place = place(of: machine)
    if hosts[place].disk.isFull { throw SimulatedDiskError.full }
    if hosts[place].disk.failures > 0 {
      hosts[place].disk.failures -= 1
      throw SimulatedDiskError.failed
    }
  }

  func hasGrown(_ machine: MachineID, by process: UInt32) {
    if let journal = journals[machine] { time.note(journal.position.sequence.rawValue) }
    journalHasGrown(machine, process)
  }

  // MARK: Frames

  /// From a socket that was connected to a machine.
  func send(_ frame: [UInt8], from peer: PeerName, toMachine machine: MachineID) -> Socket.SendResult {
    let host = place(of: machine)
    // Nobody is connected: what is sent now waits with its sender.
    guard hosts[host].process != nil || network.isCut(peer.host, host) else { return .wouldBlock }
    return network.send(from: peer.host, to: host) { [unowned self] in
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
