import SettlementNode

/// One epoch as the coordinator tells it: what was posted, or how far it has come.
extension EpochText: CommandReport {
  public var isGood: Bool { stopped == nil }

  public var text: String {
    var lines = ["epoch \(epoch)\(isFinal ? ", final" : ", not final yet")"]
    for (name, value) in [
      ("root", root), ("previous root", previousRoot), ("header hash", headerHash),
      ("deposits", depositCursor.map { "\($0)" }), ("positive equity", totalPositiveEquity.map { "\($0) USD" }),
    ] {
      if let value { lines.append("  " + name.padded(to: 16) + value) }
    }
    lines.append("open: epoch \(openEpoch); last final: epoch \(lastFinalEpoch)")
    for epoch in unfinished { lines.append("  epoch \(epoch.epoch) is \(epoch.phase)") }
    if let stopped { lines.append("STOPPED: \(stopped)") }
    return lines.joined(separator: "\n")
  }
}

extension ClusterSession {
  /// One epoch. - Parameter number: `nil` for the last final one.
  public func report(onEpoch number: UInt32?) throws -> some CommandReport { try epoch(number ?? 0) }
}

extension String {
  /// With spaces behind, up to `width` columns.
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
