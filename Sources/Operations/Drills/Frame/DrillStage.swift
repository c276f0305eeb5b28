import Cluster
import Foundation
import Market

/// What a drill runs on: a cluster under load, with a record of every fault and of what the clients saw.
public final class DrillStage {
  let options: DrillOptions
  let executable: String
  /// Where the cluster's data lie.
  let directory: ClusterDirectory
  var plan: DrillPlan
  var random: SeededGenerator
  var report: DrillReport
  var timeline: TimelineReader
  var generator: CapturedProcess?
  /// Milliseconds of the monotonic clock at which the load began to be answered.
  var loadStart = TimelineReader.now()
  /// What a drill made before its cluster started.
  var network: DrillNetwork?
  var proxy: MessageProxy?
  var disk: LoopDisk?
  var etcd: EtcdServer?
  var loggingDisks: [MachineID: LoggingDisk] = [:]
  private var running: DrillCluster?
  private var healings: [(what: String, body: () throws -> Void)] = []
  private var cleanings: [(what: String, body: () throws -> Void)] = []

  init(_ drill: any Drill, _ options: DrillOptions, executable: String, path: String) {
    self.options = options
    self.executable = executable
    plan = DrillPlan(rate: options.rate)
    directory = ClusterDirectory(
      path: path, configuration: ClusterConfiguration(), instrumentsPath: options.instrumentsPath)
    random = SeededGenerator(seed: options.seed)
    report = DrillReport(drill: drill.name, what: drill.what, seed: options.seed)
    timeline = TimelineReader(path: "")
  }

  /// The cluster under the drill.
  var cluster: DrillCluster {
    guard let running else { preconditionFailure("a drill asks for its cluster after it was started") }
    return running
  }

  /// The same, before it is known to have been started.
  var clusterIfRunning: DrillCluster? { running }

  // MARK: The cluster

  /// The data directory, as the plan has it.
  private var planned: ClusterDirectory {
    var directory = ClusterDirectory(
      path: directory.path, configuration: plan.configuration, instrumentsPath: options.instrumentsPath)
    directory.addresses = plan.addresses
    directory.detours = plan.detours
    return directory
  }

  /// Makes the data directory with its keys and its map, before anything is started.
  func layOut() throws -> ClusterMap {
    try FileManager.default.createDirectory(
      atPath: directory.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    return try planned.prepare().map
  }

  /// Starts the cluster that the plan describes.
  func startCluster() throws {
    let local = try LocalCluster(
      directory: planned, executable: executable,
      nodeArguments: (options.plants + plan.plants).flatMap { ["--plant", $0] },
      launches: plan.launches)
    running = DrillCluster(local)
  }

  /// Makes every node a host of its own, before the cluster starts.
  @discardableResult
  func makeNetwork() throws -> DrillNetwork {
    let network = try DrillNetwork(hosts: plan.nodeNames)
    cleanUpLater("the network") { network.remove() }
    self.network = network
    plan.configuration.transport = .tcp
    plan.addresses = network.addresses
    plan.addresses[ClusterDirectory.operatorName] = network.supervisorAddress
    plan.launches = network.launches()
    return network
  }

  /// Puts a machine's journal on a disk of its own, before its cluster starts.
  func putJournalOnDisk(of machine: MachineID, mebibytes: Int) throws {
    let path = directory.path
    let disk = try LoopDisk(
      image: "\(path).disk", mountPoint: "\(path)/journal/\(machine)", mebibytes: mebibytes)
    cleanUpLater("the disk") { try disk.remove() }
    self.disk = disk
  }

  func attachToCluster() throws { running = try DrillCluster(running: directory.path) }

  /// Starts the load and waits until every driven shard has answered for a second.
  func startLoad() throws {
    let path = "\(cluster.map.logDirectory)/timeline.jsonl"
    unlink(path)
    timeline = TimelineReader(path: path)
    var more = ["--seed", "\(options.seed)", "--warmup", "0.5", "--timeline", path, "--slice", "\(plan.slice)"]
    if let shard = plan.onlyShard { more += ["--shard", "\(shard)"] }
    generator = try CapturedProcess.load(
      executable: executable, dataDirectory: cluster.map.dataDirectory, rate: plan.rate, batch: options.batch,
      accounts: options.accounts, seconds: 3_600, more: more)
    let driven = plan.onlyShard.map { [$0] } ?? Array(0..<cluster.map.shardCount)
    try wait("no order was taken in every shard", seconds: 60) {
      driven.allSatisfy { timeline.accepted(after: 0, through: .max, shards: [$0]) > 0 }
    }
    loadStart = timeline.slices.first { $0.total > 0 }?.at_ms ?? TimelineReader.now()
    try pause(1.3)
  }

  /// Ends the load, which waits for its last answers.
  func endLoad() throws {
    guard let generator else { return }
    self.generator = nil
    generator.child.send(SIGINT)
    let ending = try generator.wait { try cluster.tend() }
    timeline.refresh()
    guard ending.isClean else {
      throw SupervisionError(what: "load", reason: "\(ending.text); see \(cluster.map.logDirectory)/load.out")
    }
    report.load = try generator.result(LoadReport.self)
  }

  /// Stops the cluster if it is the drill's own.
  func stopCluster() {
    guard let own = running?.own else { return }
    report.problems += own.stop()
  }

  // MARK: Time

  /// Seconds since the load began to be answered.
  var elapsed: Double { Double(TimelineReader.now() - loadStart) / 1_000 }

  /// Lets time pass, with the cluster looked after.
  func pause(_ seconds: Double) throws {
    let end = MachineClock.monotonic() + Int64(seconds * 1e9)
    repeat { try breathe() } while MachineClock.monotonic() < end
  }

  /// Waits until `isSo`, at most `seconds`.
  /// - Throws: `what` if it takes longer.
  func wait(_ what: String, seconds: Double, _ isSo: () throws -> Bool) throws {
    let end = MachineClock.monotonic() + Int64(seconds * 1e9)
    while true {
      try breathe()
      if try isSo() { return }
      guard MachineClock.monotonic() < end else {
        throw SupervisionError(what: report.drill, reason: "\(what) within \(DrillReport.tenths(seconds)) s")
      }
    }
  }

  private func breathe() throws {
    if Interruption.wasRequested { throw DrillInterrupted() }
    try running?.tend()
    if let generator, let ending = generator.poll() {
      self.generator = nil
      throw SupervisionError(what: "load", reason: "\(ending.text); see \(directory.path)/logs/load.out")
    }
    timeline.refresh()
    usleep(5_000)
  }

  // MARK: Words and undoing

  /// Something that must hold; else the drill has not passed.
  func expect(_ isSo: Bool, _ otherwise: @autoclosure () -> String) {
    if !isSo { report.problems.append(otherwise()) }
  }

  func say(_ text: String) { options.say("\(report.drill): \(text)") }

  /// Undone before the cluster winds down, last first, whatever happens.
  func healLater(_ what: String, _ body: @escaping () throws -> Void) { healings.append((what, body)) }

  /// Undone after the cluster has stopped and was audited, last first, whatever happens.
  func cleanUpLater(_ what: String, _ body: @escaping () throws -> Void) { cleanings.append((what, body)) }

  func heal() { undo(&healings) }
  func cleanUp() { undo(&cleanings) }

  private func undo(_ steps: inout [(what: String, body: () throws -> Void)]) {
    while let step = steps.popLast() {
      do {
        try step.body()
      } catch {
        report.problems.append("\(step.what): \(error)")
      }
    }
  }
}
