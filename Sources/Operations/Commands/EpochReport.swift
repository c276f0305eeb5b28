import SettlementNode

/// One epoch: what was posted, or how far it has come.
public struct EpochReport: CommandReport {
  public struct Unfinished: Encodable, Sendable {
    public var epoch: UInt32
    public var phase: String
  }
  public var epoch: UInt32
  public var isFinal: Bool
  public var root: String?
  public var previousRoot: String?
  public var headerHash: String?
  /// Deposits consumed in all.
  public var depositCursor: UInt64?
  /// Σ positive equity of users, USD.
  public var totalPositiveEquity: String?
  public var openEpoch: UInt32
  public var lastFinalEpoch: UInt32
  /// Epochs between the last final one and the open one.
  public var unfinished: [Unfinished]
  /// Why settlement posts no more; absent while it does.
  public var stopped: String?

  public var isGood: Bool { stopped == nil }

  /// - Parameter number: `nil` for the last final one.
  public init(_ number: UInt32?, in session: ClusterSession) throws {
    let seen = try session.epoch(number ?? 0)
    epoch = seen.epoch
    isFinal = seen.isFinal
    root = seen.root
    previousRoot = seen.previousRoot
    headerHash = seen.headerHash
    depositCursor = seen.depositCursor
    totalPositiveEquity = seen.totalPositiveEquity
    openEpoch = seen.openEpoch
    lastFinalEpoch = seen.lastFinalEpoch
    unfinished = seen.unfinished.map { Unfinished(epoch: $0.epoch, phase: $0.phase) }
    stopped = seen.stopped
  }

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

extension String {
  /// With spaces behind, up to `width` columns.
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
