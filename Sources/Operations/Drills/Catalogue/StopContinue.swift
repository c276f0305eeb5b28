import Cluster
import Foundation

/// A process that stands still for a while and does not know it.
struct StopContinue: Drill {
  let name = "stop-cont"
  let what =
    "SIGSTOP of a matcher for 3 s, then SIGCONT: its shards answer nobody meanwhile, the others trade on, and what it "
    + "says afterwards is neither lost nor doubled"
  let attaches = true

  private static let seconds = 3.0

  func run(in stage: DrillStage) throws {
    let matchers = stage.cluster.nodes(.matcher)
    let node = matchers[stage.random.below(matchers.count)].name
    guard let process = stage.cluster.process(of: node) else {
      throw SupervisionError(what: node, reason: "it is not running")
    }
    var fault = try stage.begin("SIGSTOP of \(node)") {
      kill(process, SIGSTOP)
      stage.healLater("SIGCONT of \(node)") { kill(process, SIGCONT) }
    }
    var seenStopped: Int64 = 0
    let end = stage.elapsed + Self.seconds
    while stage.elapsed < end {
      if ProcessState.letter(of: process) == "T" { seenStopped += 1 }
      try stage.pause(0.05)
    }
    try stage.end(&fault) { kill(process, SIGCONT) }
    stage.prove(fault, ["seen_in_state_T": seenStopped])
    try stage.recover(fault, shards: stage.cluster.shards(of: node))
    let own = stage.cluster.shards(of: node)
    let others = (0..<stage.cluster.map.shardCount).filter { !own.contains($0) }
    // One slice was under way when it stopped.
    stage.expect(
      stage.options.isDisarmed || stage.accepted(during: fault, shards: own) == 0,
      "\(node) was stopped, and its shards acknowledged \(stage.accepted(during: fault, shards: own)) orders")
    for shard in others {
      stage.expect(
        stage.accepted(during: fault, shards: [shard]) > 0, "shard \(shard), of another process, took no orders")
    }
    stage.expect(
      stage.cluster.process(of: node) == process, "\(node) is another process now: it did not live through it")
  }
}
