import Cluster
import Foundation
import Market

/// The disk of one shard's journal is full for a while.
struct DiskFull: Drill {
  let name = "disk-full"
  let what =
    "the disk under a shard's journal is full for 3 s: it acknowledges nothing that is not durable, the other nodes "
    + "trade on, and it resumes by itself when there is room"
  var needs: [DrillNeed] { LoopDisk.needs }

  private static let seconds = 3.0
  private static let mebibytes = 1_024
  private static let machine = MachineID.shard(ShardID(0))

  func prepare(_ stage: DrillStage) throws { try stage.putJournalOnDisk(of: Self.machine, mebibytes: Self.mebibytes) }

  func run(in stage: DrillStage) throws {
    guard let disk = stage.disk, let node = stage.cluster.map.node(hosting: Self.machine)?.name else { return }
    let ended = stage.cluster.logLines(of: node, with: "term ended")
    let restarts = stage.cluster.restarts(of: node)
    var taken: Int64 = 0
    var fault = try stage.begin("the disk of \(Self.machine) is full") {
      stage.healLater("giving the space back") { disk.empty() }
      taken = try disk.fill()
    }
    let end = stage.elapsed + Self.seconds
    while stage.elapsed < end {
      // What the journal itself had kept back and now lets go is taken too.
      if !stage.options.isDisarmed { taken += try disk.fill() }
      try stage.pause(0.05)
    }
    // A write that is cut short for want of space is an I/O error to LMDB.
    let complaints = stage.cluster.logLines(of: node, with: "term ended") - ended
    try stage.end(&fault) { disk.empty() }
    let refused = stage.timeline.slices.reduce(0) { sum, slice in
      slice.at_ms > fault.start && slice.at_ms <= fault.end ? sum + slice.rejected : sum
    }
    // Either the shard refused in time, or the commit that found no room ended its term.
    stage.prove(fault, ["bytes_taken": taken, "refusals_and_ended_terms": Int64(refused + complaints)])
    stage.report.figures["terms_ended_for_want_of_space"] = Double(complaints)
    stage.report.figures["orders_refused_meanwhile"] = Double(refused)
    stage.report.figures["restarts"] = Double(stage.cluster.restarts(of: node) - restarts)
    let others = (0..<stage.cluster.map.shardCount).filter { !stage.cluster.shards(of: node).contains($0) }
    for shard in others {
      stage.expect(
        stage.accepted(during: fault, shards: [shard]) > 0, "shard \(shard), on another node, took no orders")
    }
    try stage.recover(fault)
  }
}

/// The disk of one shard's journal is slow for a while.
struct SlowDisk: Drill {
  let name = "slow-disk"
  let what =
    "the disk under a shard's journal takes 20 writes a second for 4 s: acknowledgements are late, never early, and "
    + "the others are not"
  var needs: [DrillNeed] {
    LoopDisk.needs + [.file("\(group)/blkio.throttle.write_iops_device", package: "")]
  }

  private let group = "/sys/fs/cgroup/blkio"
  private static let writesPerSecond = 20
  private static let seconds = 4.0
  private static let machine = MachineID.shard(ShardID(0))

  func prepare(_ stage: DrillStage) throws { try stage.putJournalOnDisk(of: Self.machine, mebibytes: 1_024) }

  func run(in stage: DrillStage) throws {
    guard let disk = stage.disk, let node = stage.cluster.map.node(hosting: Self.machine)?.name,
      let process = stage.cluster.process(of: node)
    else { return }
    let own = "\(group)/novation-drill-\(getpid())"
    try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
    stage.cleanUpLater("the control group") { rmdir(own) }
    let device = try disk.deviceNumber()
    try write("\(process)", to: "\(own)/cgroup.procs")
    let before = stage.cluster.status(of: Self.machine)?.commits ?? 0
    let started = TimelineReader.now()
    try stage.pause(1)
    let commits = Double((stage.cluster.status(of: Self.machine)?.commits ?? 0) - before)
    let usual = commits / (Double(TimelineReader.now() - started) / 1_000)
    let throttled = serviced(own, device)
    var fault = try stage.begin("the disk of \(Self.machine) takes \(Self.writesPerSecond) writes/s") {
      stage.healLater("lifting the limit") { try write("\(device) 0", to: limit(own)) }
      try write("\(device) \(Self.writesPerSecond)", to: limit(own))
    }
    let slowBefore = stage.cluster.status(of: Self.machine, seconds: 5)?.commits ?? 0
    try stage.pause(Self.seconds)
    let writes = serviced(own, device) - throttled
    let slowCommits = (stage.cluster.status(of: Self.machine, seconds: 5)?.commits ?? 0) - slowBefore
    let slowRate = Double(slowCommits) / (Double(TimelineReader.now() - fault.start) / 1_000)
    try stage.end(&fault) { try write("\(device) 0", to: limit(own)) }
    stage.prove(
      fault,
      [
        "writes_serviced": Int64(writes), "commits_a_second_fewer": Int64(usual - slowRate),
      ])
    stage.report.figures["commits_per_second_before"] = usual.rounded()
    stage.report.figures["commits_per_second_meanwhile"] = slowRate.rounded()
    stage.expect(
      Double(writes) <= Double(Self.writesPerSecond) * (Double(fault.end - fault.start) / 1_000) * 1.5 + 10,
      "\(writes) writes reached the disk: it was not slow")
    let others = (0..<stage.cluster.map.shardCount).filter { !stage.cluster.shards(of: node).contains($0) }
    for shard in others {
      stage.expect(
        stage.accepted(during: fault, shards: [shard]) > 0, "shard \(shard), on another node, took no orders")
    }
    try stage.recover(fault)
  }

  private func limit(_ own: String) -> String { "\(own)/blkio.throttle.write_iops_device" }

  private func write(_ text: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    defer { close(descriptor) }
    guard descriptor >= 0, Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count else {
      throw SupervisionError(what: path, reason: "'\(text)': \(String(cString: strerror(errno)))")
    }
  }

  /// Writes of the group that the device took.
  private func serviced(_ own: String, _ device: String) -> Int {
    let text = (try? String(contentsOfFile: "\(own)/blkio.throttle.io_serviced", encoding: .utf8)) ?? ""
    for line in text.split(separator: "\n") where line.hasPrefix("\(device) Write ") {
      return Int(line.split(separator: " ").last ?? "") ?? 0
    }
    return 0
  }
}
