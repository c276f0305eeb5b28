import Cluster
import Foundation

/// The supervisor itself is killed, and with it its cluster; another goes on from the data.
struct SupervisorKilled: Drill {
  let name = "supervisor-killed"
  let what =
    "kill -9 of the supervisor: every process of its cluster ends by itself, and a cluster started again on the data "
    + "goes on where it was"

  private static let endSeconds = 30.0
  private static let settingSeconds = 60.0

  func prepare(_ stage: DrillStage) { stage.plan.startsCluster = false }

  func run(in stage: DrillStage) throws {
    let path = stage.directory.path
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let supervisor = try CapturedProcess(
      "run", executable: stage.executable,
      arguments: [
        "run", "--data", path, "--load", "100", "--batch", "4", "--accounts", "4", "--seconds", "3600", "--instruments",
        stage.options.instrumentsPath, "--json",
      ], errorsPath: "\(path).run")
    stage.cleanUpLater("the supervisor's words") { unlink("\(path).run") }
    stage.healLater("the supervisor") {
      if supervisor.poll() == nil {
        supervisor.child.send(SIGTERM)
        _ = supervisor.wait()
      }
    }
    try stage.wait("the cluster does not come up; see \(path).run", seconds: Self.settingSeconds) {
      if let ending = supervisor.poll() { throw SupervisionError(what: "run", reason: ending.text) }
      guard (try? stage.attachToCluster()) != nil else { return false }
      return stage.cluster.map.machines.allSatisfy { stage.cluster.status(of: $0) != nil }
    }
    try stage.startLoad()
    let processes = Array(stage.cluster.client.processes().values)
    var ended: Int64 = 0
    var endMilliseconds: Int64 = 0
    var fault = try stage.begin("kill -9 of the supervisor") {
      let start = TimelineReader.now()
      supervisor.child.send(SIGKILL)
      try stage.wait("processes live on without their supervisor", seconds: Self.endSeconds) {
        _ = supervisor.poll()
        ended = Int64(processes.count { !ProcessState.exists($0) })
        return ended == Int64(processes.count)
      }
      endMilliseconds = TimelineReader.now() - start
      try stage.startCluster()
    }
    try stage.end(&fault) {}
    stage.prove(fault, ["processes_that_ended": ended])
    stage.report.figures["ended_after_ms"] = Double(endMilliseconds)
    try stage.recover(fault, milliseconds: Double(TimelineReader.now() - fault.start))
  }
}
