import Cluster
import Foundation
import Market
import Wire

/// How a cluster is: each process, each shard, settlement and risk.
public struct ClusterStatus: CommandReport {
  public struct Process: Encodable, Sendable {
    public var name: String
    public var role: String
    public var isUp: Bool
    /// Absent when it does not answer.
    public var pid: Int32?
    /// Of one CPU, over the time of the command.
    public var cpuPercent: Double?
    public var residentMegabytes: Double?
    /// Where Prometheus reads; absent without metrics.
    public var metrics: String?
  }
  public struct Shard: Encodable, Sendable {
    public var shard: UInt16
    public var node: String
    /// Operations accepted since the shard's beginning.
    public var orders: Int64
    public var fills: Int64
    /// Orders open now.
    public var open: Int64
    /// Last entry of its journal.
    public var journal: UInt64
    /// Most messages that some consumer of its stream has not acknowledged.
    public var lag: UInt64
    public var epoch: UInt32
    /// Term of its owner, and the nodes of the standbys whose acknowledgement is the owner's fence.
    public var term: UInt32
    public var inSync: [String]
    /// Group commits of the owner's process, and of its copies' processes.
    public var commits: UInt64
    public var copyCommits: UInt64
  }
  public struct Settlement: Encodable, Sendable {
    public var openEpoch: UInt32
    public var finalEpoch: Int64
    public var root: String
    /// Why it posts no more; absent while it does.
    public var stopped: String?
  }
  public struct Risk: Encodable, Sendable {
    public var accounts: Int64
    /// Σ equity over all accounts, the house included, in USD.
    public var equity: String
    public var underLiquidation: Int64
    /// Accounts for which a mark is missing.
    public var unmeasurable: Int64
    public var isHalted: Bool
  }

  public var processes: [Process]
  public var shards: [Shard]
  /// Absent when it does not answer.
  public var settlement: Settlement?
  public var risk: Risk?

  /// Everything is up, and settlement posts.
  public var isGood: Bool { processes.allSatisfy(\.isUp) && settlement != nil && settlement?.stopped == nil }

  /// Seconds over which CPU is measured.
  private static let cpuSeconds = 0.4

  /// Asks every process of the cluster in `dataDirectory`.
  public init(dataDirectory: String) throws {
    let client = try ClusterClient(dataDirectory: dataDirectory)
    let copies = client.copyStatuses(timeoutSeconds: 1.5)
    let found = client.statuses(of: copies)
    processes = []
    shards = []
    var identifiers: [String: pid_t] = [:]
    for node in client.map.nodes {
      let hosted = (node.hosts + (node.standbys ?? [])).compactMap { MachineID(name: $0) }.map { machine in
        copies[ClusterMap.copy(of: machine, on: node.name)]
      }
      let answered = hosted.compactMap { $0 }
      identifiers[node.name] = answered.first?.processIdentifier
      processes.append(
        Process(
          name: node.name, role: node.role.rawValue, isUp: answered.count == hosted.count,
          pid: answered.first?.processIdentifier,
          metrics: client.map.metrics?[node.name].map { "http://\($0)/metrics" }))
    }
    let usage = ProcessUsage(identifiers)
    usleep(UInt32(Self.cpuSeconds * 1e6))
    let percent = usage.percentSince()
    for index in processes.indices {
      processes[index].cpuPercent = percent[processes[index].name]
      processes[index].residentMegabytes = processes[index].pid.flatMap(ProcessUsage.residentBytes).map {
        (Double($0) / 104_857.6).rounded() / 10
      }
    }
    for shard in client.map.shards {
      guard let status = found[.shard(shard)] else { continue }
      let others = client.map.nodes.filter { $0.name != status.node }.compactMap { node in
        copies[ClusterMap.copy(of: .shard(shard), on: node.name)]
      }
      shards.append(
        Shard(
          shard: shard.rawValue, node: status.node, orders: status.figures["orders"] ?? 0,
          fills: status.figures["fills"] ?? 0, open: status.figures["open"] ?? 0, journal: status.sequence,
          lag: status.outgoing.map(\.lag).max() ?? 0, epoch: status.epoch,
          term: status.term, inSync: status.inSync, commits: status.commits,
          copyCommits: others.map(\.commits).reduce(0, +)))
    }
    settlement = found[.settlement].map { status in
      Settlement(
        openEpoch: status.epoch, finalEpoch: status.figures["finalEpoch"] ?? 0,
        root: status.texts["finalRoot"] ?? "", stopped: status.texts["stopped"].flatMap { $0.isEmpty ? nil : $0 })
    }
    risk = found[.risk].map { status in
      Risk(
        accounts: status.figures["accounts"] ?? 0, equity: Money(units: status.figures["equity"] ?? 0).description,
        underLiquidation: status.figures["underLiquidation"] ?? 0,
        unmeasurable: status.figures["unmeasurable"] ?? 0, isHalted: status.figures["halted"] == 1)
    }
  }

  public var text: String {
    var processTable = TextTable(["process", "", "pid", "cpu %", "resident MB"])
    for process in processes {
      processTable.add([
        process.name, process.isUp ? "up" : "DOWN", process.pid.map { "\($0)" } ?? "-",
        process.cpuPercent.map { "\($0)" } ?? "-", process.residentMegabytes.map { "\($0)" } ?? "-",
      ])
    }
    var shardTable = TextTable(["shard", "orders", "fills", "open", "journal", "lag", "epoch"])
    for shard in shards {
      shardTable.add([
        "shard-\(shard.shard)", "\(shard.orders)", "\(shard.fills)", "\(shard.open)", "\(shard.journal)",
        "\(shard.lag)", "\(shard.epoch)",
      ])
    }
    var lines = [processTable.text, "", shardTable.text, ""]
    if let settlement {
      lines.append(
        "settlement  epoch \(settlement.openEpoch) open, \(settlement.finalEpoch) final, root \(settlement.root)")
      if let stopped = settlement.stopped { lines.append("settlement  STOPPED: \(stopped)") }
    }
    if let risk {
      lines.append(
        "risk        \(risk.accounts) accounts, equity \(risk.equity) USD, \(risk.underLiquidation) in liquidation, "
          + "\(risk.unmeasurable) not measurable\(risk.isHalted ? ", HALTED" : "")")
    }
    return lines.joined(separator: "\n")
  }
}

extension ClusterClient {
  /// Every machine and edge that answers in time, by its owner's word; a copy's where no owner answers.
  func statuses(timeoutSeconds: Double) -> [MachineID: HostStatus] {
    statuses(of: copyStatuses(timeoutSeconds: timeoutSeconds))
  }

  func statuses(of copies: [String: HostStatus]) -> [MachineID: HostStatus] {
    var found: [MachineID: HostStatus] = [:]
    for machine in map.machines {
      let told = map.nodes(holding: machine).compactMap { copies[ClusterMap.copy(of: machine, on: $0.name)] }
      found[machine] = told.filter { $0.role == "owner" }.max { $0.term < $1.term } ?? told.first
    }
    return found
  }

  /// What every copy of every machine tells of itself, by its name; all are asked at once.
  func copyStatuses(timeoutSeconds: Double) -> [String: HostStatus] {
    var waiting: [(copy: String, client: GatewayClient, tag: UInt64)] = []
    for machine in map.machines {
      for node in map.nodes(holding: machine) {
        guard let connection = try? connection(to: machine, on: node.name) else { continue }
        let copy = ClusterMap.copy(of: machine, on: node.name)
        waiting.append((copy, connection, connection.ask(.status, machine)))
      }
    }
    var found: [String: HostStatus] = [:]
    let deadline = MachineClock.monotonic() + Int64(timeoutSeconds * 1e9)
    while found.count < waiting.count, MachineClock.monotonic() < deadline {
      for (copy, connection, tag) in waiting where found[copy] == nil {
        connection.poll(waitMicroseconds: 2_000) { event in
          guard case .answer(let answer) = event, answer.tag == tag, answer.isAnswered else { return }
          found[copy] = try? JSONDecoder().decode(HostStatus.self, from: Data(answer.body))
        }
      }
    }
    return found
  }
}
