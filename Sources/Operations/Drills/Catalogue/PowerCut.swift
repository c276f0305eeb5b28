import Cluster
import Foundation
import Journal
import Machine
import Market

/// The power goes, at any moment, and the disk keeps of what it had not been told to flush what it likes.
struct PowerCut: Drill {
  let name = "power-cut"
  let what =
    "power cuts at 200 points of a shard's disk, keeping none, some, torn or all of the un-flushed writes: what was "
    + "acknowledged is in the journal each time; a journal whose syncs are swallowed is the control, and must lose"
  var needs: [DrillNeed] { LoggingDisk.needs + [.file(Self.swallower, package: "eatmydata")] }

  /// Makes a process's syncs succeed at once and do nothing.
  private static let swallower = "/usr/lib/x86_64-linux-gnu/libeatmydata.so"
  private static let cuts = 200
  private static let controlCuts = 40
  private static let mebibytes = 1_024
  /// The shard under test, and the control, on another node.
  private static let machine = MachineID.shard(ShardID(0))
  private static let control = MachineID.shard(ShardID(1))
  private static let slice = 5

  func prepare(_ stage: DrillStage) throws {
    stage.plan.slice = Self.slice
    stage.plan.launches["matcher-1"] = NodeLaunch(environment: ["LD_PRELOAD": Self.swallower])
    for machine in [Self.machine, Self.control] {
      let disk = try LoggingDisk(
        scratch: "\(stage.directory.path).\(machine)", mountPoint: "\(stage.directory.path)/journal/\(machine)",
        mebibytes: Self.mebibytes)
      stage.cleanUpLater("the disk of \(machine)") { try disk.remove() }
      stage.loggingDisks[machine] = disk
    }
  }

  func run(in stage: DrillStage) throws {
    guard let disk = stage.loggingDisks[Self.machine], let controlDisk = stage.loggingDisks[Self.control] else {
      return
    }
    // The disks remember; the cuts come afterwards, as many as are wanted of one and the same time.
    while stage.elapsed < stage.options.seconds - 1 { try stage.pause(0.05) }
    let logs = [disk.stopLogging(), controlDisk.stopLogging()]
    stage.timeline.refresh()
    var fault = try stage.begin("\(Self.cuts) power cuts") {}
    var found = CrashSeries.Outcome()
    var lost = CrashSeries.Outcome()
    if !stage.options.isDisarmed {
      found = try CrashSeries(stage, Self.machine, disk, logs[0], key: 0).run(cuts: Self.cuts)
      lost = try CrashSeries(stage, Self.control, controlDisk, logs[1], key: 1).run(cuts: Self.controlCuts)
    }
    try stage.end(&fault) {}
    stage.prove(
      fault,
      [
        "cut_points": Int64(found.cuts), "writes_logged": Int64(found.writes), "flushes_logged": Int64(found.flushes),
        "unflushed_sectors_dropped": Int64(found.sectorsDropped), "unflushed_sectors_kept": Int64(found.sectorsKept),
        "acknowledged_entries_asked_for": Int64(found.mostAcknowledged),
        "control_cuts_that_lost": Int64(lost.losses.count),
      ])
    stage.report.figures["control_cuts"] = Double(lost.cuts)
    stage.report.figures["cuts_that_lost"] = Double(found.losses.count)
    for loss in found.losses.prefix(3) { stage.expect(false, loss) }
    try stage.recover(fault)
  }
}
