import Cluster
import Foundation

/// The network between hosts goes, or loses packets. Every node is a host of its own.
struct NetworkCut: Drill {
  enum Fault: Sendable { case bothWays, oneWay, lossy }
  let fault: Fault

  private static let cutSeconds = 1.5
  private static let lossySeconds = 4.0
  private static let lossShare = 0.2
  /// Hosts that speak with each other.
  private static let pairs = [
    ("gateway-0", "matcher-0"), ("matcher-0", "risk"), ("risk", "settlement"), ("marks", "risk"),
    ("matcher-1", "settlement"), ("gateway-0", "risk"),
  ]

  var name: String {
    switch fault {
    case .bothWays: "network-cut"
    case .oneWay: "network-cut-one-way"
    case .lossy: "lossy-link"
    }
  }
  var what: String {
    switch fault {
    case .bothWays: "the network between two hosts is cut both ways, one pair after another: it heals, nothing is lost"
    case .oneWay: "one host no longer hears another that still hears it, one pair after another: nothing is lost"
    case .lossy: "every host loses a fifth of the packets that it gets from any other: slower, and nothing is lost"
    }
  }
  var needs: [DrillNeed] {
    [.root, .program("ip", package: "iproute2"), .program("iptables", package: "iptables")]
  }

  func prepare(_ stage: DrillStage) throws { try stage.makeNetwork() }

  func run(in stage: DrillStage) throws {
    guard let network = stage.network else { return }
    stage.healLater("mending the network") { try network.mend() }
    if fault == .lossy { return try lose(stage, network) }
    for (one, other) in Self.pairs.shuffled(using: &stage.random) {
      let isTurned = fault == .oneWay && stage.random.below(2) == 1
      let (from, to) = isTurned ? (other, one) : (one, other)
      let words = fault == .oneWay ? "\(to) hears nothing of \(from)" : "\(from) and \(to) are cut off from each other"
      var cut = try stage.begin(words) {
        try network.drop(from: from, at: to)
        if fault == .bothWays { try network.drop(from: to, at: from) }
      }
      try stage.pause(Self.cutSeconds)
      let dropped = try network.dropped(at: from) + network.dropped(at: to)
      try stage.end(&cut) { try network.mend() }
      stage.prove(cut, ["packets_dropped": dropped])
      try stage.recover(cut)
    }
  }

  private func lose(_ stage: DrillStage, _ network: DrillNetwork) throws {
    let hosts = network.addresses.keys.sorted()
    var loss = try stage.begin("one packet in five is lost, at every host") {
      for receiver in hosts {
        for sender in hosts where sender != receiver {
          try network.drop(from: sender, at: receiver, share: Self.lossShare)
        }
      }
    }
    try stage.pause(Self.lossySeconds)
    let dropped = try hosts.map { try network.dropped(at: $0) }
    try stage.end(&loss) { try network.mend() }
    stage.prove(loss, ["packets_dropped": dropped.reduce(0, +), "hosts_that_dropped": Int64(dropped.count { $0 > 0 })])
    try stage.recover(loss)
  }
}
