import Bytes
import Cluster
import Foundation
import Market
import Wire

/// A client that asks for everything and reads nothing.
struct SilentReader: Drill {
  let name = "client-stops-reading"
  let what =
    "a client follows every book, asks on and reads nothing: what it does not take is dropped, memory stays bounded, "
    + "the others are served"
  let attaches = true

  /// More than all queues on the way hold.
  private static let questions = 30_000
  private static let mostGrowth = 1_024

  func run(in stage: DrillStage) throws {
    guard let node = stage.cluster.map.node(hosting: MachineID(.gateway, 0))?.name,
      let process = stage.cluster.process(of: node)
    else { throw SupervisionError(what: "gateway-0", reason: "it is not running") }
    let client = try stage.cluster.client.gateway()
    let memory = ProcessState.residentMegabytes(of: process)
    var asked: Int64 = 0
    var largest = 0
    var fault = try stage.begin("a client that reads nothing") {
      client.subscribe(FeedSubscription(wantsReports: true, wantsBooks: true))
      while asked < Self.questions {
        for _ in 0..<200 { client.ask(.market, MachineID(.gateway, 0)) }
        asked += 200
        try stage.pause(0.02)
        largest = max(largest, ProcessState.residentMegabytes(of: process) - memory)
      }
      try stage.pause(1)
    }
    var answers: Int64 = 0
    let end = MachineClock.monotonic() + 2_000_000_000
    while MachineClock.monotonic() < end {
      client.poll(waitMicroseconds: 20_000) { if case .answer = $0 { answers += 1 } }
      try stage.pause(0)
    }
    try stage.end(&fault) {}
    stage.prove(fault, ["questions": asked, "answers_not_kept_for_it": asked - answers])
    stage.report.figures["gateway_grew_mebibytes"] = Double(largest)
    stage.report.figures["answers_kept"] = Double(answers)
    stage.expect(largest < Self.mostGrowth, "the gateway grew by \(largest) MiB")
    for shard in 0..<stage.cluster.map.shardCount {
      stage.expect(
        stage.options.isDisarmed || stage.accepted(during: fault, shards: [shard]) > 0,
        "shard \(shard) took no order of the other clients meanwhile")
    }
    try stage.recover(fault)
    stage.expect(stage.cluster.process(of: node) == process, "\(node) did not live through it")
  }
}
