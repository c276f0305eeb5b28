import Cluster
import Foundation
import Market

/// One client that sends as fast as it can and waits for nothing.
struct ClientFlood: Drill {
  let name = "client-flood"
  let what = "one client sends signed actions as fast as it can: it is pushed back, and the others go on being served"
  let attaches = true

  private static let actions = 256
  private static let seconds = 3.0
  /// What a gateway may grow by, in mebibytes.
  private static let mostGrowth = 512

  func run(in stage: DrillStage) throws {
    let gateway = MachineID(.gateway, 0)
    guard let node = stage.cluster.map.node(hosting: gateway)?.name, let process = stage.cluster.process(of: node)
    else {
      throw SupervisionError(what: "gateway-0", reason: "it is not running")
    }
    let client = try DrillClient(stage)
    let shards = stage.cluster.map.shardCount
    let actions = try (0..<Self.actions).map { try client.orders(1, shard: $0 % shards) }
    let memory = ProcessState.residentMegabytes(of: process)
    var sent: Int64 = 0
    var pushedBack: Int64 = 0
    var answers: Int64 = 0
    var fault = try stage.begin("a flood of signed actions") {
      let end = MachineClock.monotonic() + Int64(Self.seconds * 1e9)
      var number = 0
      while MachineClock.monotonic() < end {
        for _ in 0..<64 {
          // The same actions again and again: the dearest of all to refuse, since each signature is good.
          if try client.submit(actions[number % actions.count]) { sent += 1 } else { pushedBack += 1 }
          number += 1
        }
        try client.poll(milliseconds: 0) { event in
          answers += 1
          if case .refusal = event { pushedBack += 1 }
        }
        try stage.pause(0)
      }
    }
    try stage.end(&fault) {}
    let grown = ProcessState.residentMegabytes(of: process) - memory
    stage.prove(fault, ["actions_sent": sent, "pushed_back": pushedBack, "answers": answers])
    stage.report.figures["gateway_grew_mebibytes"] = Double(grown)
    stage.expect(grown < Self.mostGrowth, "the gateway grew by \(grown) MiB")
    for shard in 0..<shards {
      stage.expect(
        stage.options.isDisarmed || stage.accepted(during: fault, shards: [shard]) > 0,
        "shard \(shard) took no order of the other clients during the flood")
    }
    try stage.recover(fault)
    stage.expect(stage.cluster.process(of: node) == process, "\(node) did not live through the flood")
  }
}
