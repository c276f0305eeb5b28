import Cluster
import Foundation
import Market

/// An owner that is started on a host whose wall clock is wrong.
struct ClockAheadAtStart: Drill {
  let name = "clock-ahead-at-start"
  let what =
    "a matcher is killed and started again with its wall clock an hour ahead: it stamps nothing and stops, with the "
    + "difference in its log, the other nodes trade on, and it serves again when its clock is right; an hour behind, "
    + "it takes its peers' time"
  var needs: [DrillNeed] { [FakedClock.need] }

  private static let node = "matcher-0"
  private static let seconds = 4.0
  private static let tolerance = 5.0

  func prepare(_ stage: DrillStage) throws { try stage.fakeClock(of: Self.node) }

  func run(in stage: DrillStage) throws {
    stage.healLater("setting the clock right") { try FakedClock.set(Self.node, hours: 0) }
    try ahead(stage)
    try behind(stage)
  }

  private func ahead(_ stage: DrillStage) throws {
    let cluster = stage.cluster
    guard let process = cluster.process(of: Self.node), let machine = cluster.machine(of: Self.node) else { return }
    let refusals = { cluster.logLines(of: Self.node, with: "term ended", "ms ahead of its peers'") }
    let before = refusals()
    var acknowledged = 0
    var fault = try stage.begin("\(Self.node) is started again with its clock an hour ahead") {
      try FakedClock.set(Self.node, hours: 1)
      kill(process, SIGKILL)
      try stage.wait("\(Self.node) does not refuse its clock", seconds: 20) { refusals() > before }
      let refused = TimelineReader.now()
      try stage.pause(Self.seconds)
      acknowledged = stage.timeline.accepted(
        after: refused, through: TimelineReader.now(), shards: cluster.shards(of: Self.node))
    }
    try stage.end(&fault) { try FakedClock.set(Self.node, hours: 0) }
    stage.prove(
      fault, ["killed_pid": stage.options.isDisarmed ? 0 : Int64(process), "refusals": Int64(refusals() - before)])
    stage.expect(acknowledged == 0, "\(acknowledged) orders were taken by a clock that is an hour ahead")
    let others = (0..<cluster.map.shardCount).filter { !cluster.shards(of: Self.node).contains($0) }
    for shard in others {
      stage.expect(
        stage.options.isDisarmed || stage.accepted(during: fault, shards: [shard]) > 0,
        "shard \(shard), on another node, took no orders")
    }
    try stage.recover(fault)
    let skew = try stage.skewOfStamp(machine)
    stage.expect(abs(skew) < Self.tolerance, "the stamps of \(machine) are off by \(Int(skew)) s")
  }

  private func behind(_ stage: DrillStage) throws {
    let cluster = stage.cluster
    guard let process = cluster.process(of: Self.node), let machine = cluster.machine(of: Self.node) else { return }
    let corrections = { cluster.logLines(of: Self.node, with: "clock set forward") }
    let before = corrections()
    var fault = try stage.begin("\(Self.node) is started again with its clock an hour behind") {
      try FakedClock.set(Self.node, hours: -1)
      kill(process, SIGKILL)
      try stage.wait("\(Self.node) does not set its clock forward", seconds: 20) { corrections() > before }
      try stage.pause(1)
    }
    try stage.end(&fault) {}
    stage.prove(
      fault,
      ["killed_pid": stage.options.isDisarmed ? 0 : Int64(process), "corrections": Int64(corrections() - before)])
    try stage.recover(fault)
    let skew = try stage.skewOfStamp(machine)
    stage.expect(abs(skew) < Self.tolerance, "the stamps of \(machine) are off by \(Int(skew)) s")
  }
}
