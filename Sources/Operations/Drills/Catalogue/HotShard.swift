import Cluster
import Foundation

/// All the world wants one shard.
struct HotShard: Drill {
  let name = "hot-shard"
  let what = "twenty times the load on one shard: the others go on being served, and nothing acknowledged is lost"
  let attaches = true

  private static let factor = 20
  private static let seconds = 4.0

  func run(in stage: DrillStage) throws {
    let cluster = stage.cluster
    let hot = stage.random.below(cluster.map.shardCount)
    let rate = stage.options.rate * Self.factor
    var rush: CapturedProcess?
    var fault = try stage.begin("\(rate) orders/s on shard \(hot)") {
      rush = try CapturedProcess.load(
        executable: stage.executable, dataDirectory: cluster.map.dataDirectory, rate: rate, batch: 64,
        accounts: stage.options.accounts, seconds: Self.seconds,
        more: ["--shard", "\(hot)", "--warmup", "0", "--seed", "\(stage.options.seed + 1)"])
    }
    var report = LoadReport()
    if let rush {
      try stage.wait("the rush did not end", seconds: Self.seconds + 60) { rush.poll() != nil }
      report = try rush.result(LoadReport.self)
    }
    try stage.end(&fault) {}
    stage.prove(
      fault,
      ["rush_orders_sent": Int64(report.sent), "rush_orders_accepted": Int64(report.acknowledged)])
    stage.report.figures["rush_accepted_per_second"] = report.achieved_per_second.rounded()
    stage.report.figures["rush_rejected"] = Double(report.rejected.values.reduce(0, +))
    for shard in 0..<cluster.map.shardCount {
      stage.expect(
        stage.accepted(during: fault, shards: [shard]) > 0, "shard \(shard) took none of the ordinary orders meanwhile")
    }
    try stage.recover(fault)
  }
}
