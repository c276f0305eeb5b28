import Cluster
import Foundation
import Market

/// A system call of the journal fails once, and would succeed if it were tried again.
struct SyncFailure: Drill {
  enum Call: String, Sendable { case fdatasync, pwrite }
  let call: Call

  var name: String { call == .fdatasync ? "sync-fails-once" : "write-fails-once" }
  var what: String {
    "one \(call.rawValue) of a matcher's, of risk's and of settlement's journal fails with EIO, and the next would "
      + "succeed: it is not retried and believed, the process ends its term and is back from the journal"
  }
  var needs: [DrillNeed] {
    [.program("fiu-ctrl", package: "fiu-utils")] + Self.libraries.map { .file($0, package: "fiu-utils") }
  }

  private static let libraries = ["/usr/lib/fiu/fiu_run_preload.so", "/usr/lib/fiu/fiu_posix_preload.so"]
  private static let nodes = ["matcher-0", "risk", "settlement"]
  private static let inputOutputError = 5
  private var point: String {
    switch call {
    case .fdatasync: "posix/io/sync/fdatasync"
    case .pwrite: "posix/io/rw/pwrite"
    }
  }

  func prepare(_ stage: DrillStage) throws {
    for node in Self.nodes {
      stage.plan.launches[node] = NodeLaunch(environment: [
        "LD_PRELOAD": Self.libraries.joined(separator: " "), "FIU_ENABLE": "",
        "FIU_CTRL_FIFO": control(stage, node),
      ])
    }
    stage.cleanUpLater("the control pipes") {
      for file in try FileManager.default.contentsOfDirectory(atPath: "/tmp")
      where file.hasPrefix("novation-fiu-\(getpid())-") { unlink("/tmp/\(file)") }
    }
  }

  /// Prefix of a node's control pipes; the library adds the process to it.
  private func control(_ stage: DrillStage, _ node: String) -> String { "/tmp/novation-fiu-\(getpid())-\(node)" }

  func run(in stage: DrillStage) throws {
    let cluster = stage.cluster
    for node in Self.nodes {
      guard let process = cluster.process(of: node), let machine = cluster.machine(of: node) else { continue }
      let failures = failures(cluster, node)
      let restarts = cluster.restarts(of: node)
      let term = cluster.status(of: machine)?.term ?? 0
      var fault = try stage.begin("one \(call.rawValue) of \(node) fails") {
        // Its successor comes without the library, which now and then keeps a process from starting.
        cluster.own?.supervisor.launch(node, as: NodeLaunch())
        try Shell.run(
          "fiu-ctrl", "-f", control(stage, node), "-c",
          "enable name=\(point),failinfo=\(Self.inputOutputError),onetime", "\(process)")
        try stage.wait("\(node) lives on after a failed \(call.rawValue)", seconds: 10) {
          cluster.restarts(of: node) > restarts
        }
        try stage.wait("\(node) does not come back", seconds: 30) {
          cluster.status(of: machine, seconds: 0.1).map { $0.processIdentifier != process } ?? false
        }
      }
      try stage.end(&fault) {}
      stage.prove(
        fault,
        [
          "failures_told_in_the_log": Int64(self.failures(cluster, node) - failures),
          "restarts": Int64(cluster.restarts(of: node) - restarts),
          "terms_begun": Int64(cluster.status(of: machine)?.term ?? 0) - Int64(term),
        ])
      try stage.recover(
        fault, shards: cluster.shards(of: node), milliseconds: Double(TimelineReader.now() - fault.start))
    }
  }

  private func failures(_ cluster: DrillCluster, _ node: String) -> Int {
    cluster.logLines(of: node, with: "term ended", "Input/output error")
  }
}
