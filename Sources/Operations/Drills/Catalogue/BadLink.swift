import Cluster
import Foundation
import Market
import Messaging

/// A link between one shard and all its peers that is slow, or says things twice, or in another order.
struct BadLink: Drill {
  enum Fault: Sendable { case slow, duplicating, reordering }
  let fault: Fault

  private static let holdMilliseconds = 150
  private static let seconds = 4.0
  private static let machine = MachineID.shard(ShardID(0))

  var name: String { "\(fault)-link" }
  var what: String {
    let does =
      switch fault {
      case .slow: "every message between a shard and its peers is held for \(Self.holdMilliseconds) ms"
      case .duplicating: "every message between a shard and its peers is delivered twice"
      case .reordering: "every two messages between a shard and a peer change places"
      }
    return does + ", in both directions: nothing is lost, doubled or out of place"
  }

  func prepare(_ stage: DrillStage) throws {
    let map = try stage.layOut()
    guard let real = map.endpoint(of: Self.machine) else {
      throw SupervisionError(what: "\(Self.machine)", reason: "it has no endpoint")
    }
    let detour = real + ".d"
    stage.plan.detours[Self.machine.description] = detour
    let proxy = try MessageProxy(of: Self.machine, at: detour, map: map)
    Task.blocking { await proxy.start() }
    stage.proxy = proxy
    stage.cleanUpLater("the proxy") {
      Task.blocking { await proxy.stop() }
      proxy.loop.stop()
    }
  }

  func run(in stage: DrillStage) throws {
    guard let proxy = stage.proxy else { return }
    let before = proxy.counts
    var fault = try stage.begin(what.split(separator: ",").first.map(String.init) ?? name) {
      switch self.fault {
      case .slow: proxy.tamper(.hold(milliseconds: Self.holdMilliseconds))
      case .duplicating: proxy.tamper(.double)
      case .reordering: proxy.tamper(.swap)
      }
    }
    try stage.pause(Self.seconds)
    try stage.end(&fault) { proxy.tamper(.none) }
    let counts = proxy.counts
    switch self.fault {
    case .slow: stage.prove(fault, ["messages_held": counts.held - before.held])
    case .duplicating: stage.prove(fault, ["messages_doubled": counts.doubled - before.doubled])
    case .reordering: stage.prove(fault, ["messages_swapped": counts.swapped - before.swapped])
    }
    stage.report.figures["messages_forwarded"] = Double(counts.forwarded)
    stage.expect(
      stage.accepted(during: fault, shards: [0]) > 0, "the shard behind the link took no orders while it was bad")
    try stage.recover(fault)
  }
}
