import Bytes
import Cluster
import Foundation
import Journal
import Machine
import Market
import Messaging
import Wire

/// The wall clock of a node that keeps a journal jumps.
struct OwnerClockJump: Drill {
  let name = "clock-jump-owners"
  let what =
    "the wall clock of a matcher, of risk and of settlement jumps an hour ahead, and then to an hour behind: the "
    + "stamps of the journals do not follow"
  var needs: [DrillNeed] { [FakedClock.need] }

  private static let nodes = ["matcher-0", "risk", "settlement"]
  private static let seconds = 2.0
  /// A stamp may be off by this much, and a log line must be off by more.
  private static let tolerance = 60.0

  func prepare(_ stage: DrillStage) throws { for node in Self.nodes { try stage.fakeClock(of: node) } }

  func run(in stage: DrillStage) throws {
    stage.healLater("setting the clocks right") { for node in Self.nodes { try FakedClock.set(node, hours: 0) } }
    for node in Self.nodes {
      for hours in [1, -1] {
        var fault = try stage.begin("the clock of \(node) jumps \(hours > 0 ? "ahead" : "back") to \(hours) h") {
          try FakedClock.set(node, hours: hours)
        }
        try stage.pause(Self.seconds)
        let skew = try skewOfLog(stage, node)
        let stamp = try stage.cluster.machine(of: node).map { try stage.skewOfStamp($0) } ?? 0
        try stage.end(&fault) { try FakedClock.set(node, hours: 0) }
        stage.prove(fault, ["log_off_by_seconds": Int64(abs(skew))])
        stage.expect(
          stage.options.isDisarmed || skew * Double(hours) > 3_600 - Self.tolerance,
          "\(node): its log is off by \(Int(skew)) s: the clock did not jump")
        stage.expect(abs(stamp) < Self.tolerance, "\(node): the stamps of its journal are off by \(Int(stamp)) s")
        try stage.recover(fault)
      }
    }
  }

  /// Has the node log something, and reads how far its time is off.
  private func skewOfLog(_ stage: DrillStage, _ node: String) throws -> Double {
    guard let machine = stage.cluster.machine(of: node) else { return 0 }
    let map = stage.cluster.map
    let path = "\(map.logDirectory)/\(node).log"
    let before = stage.cluster.logLines(of: node, with: "dropped a frame")
    let keys = try CurveKeyring(directory: map.keyDirectory(of: "verifier-0")).own
    let socket = try Transport(map: map, clientKeys: keys).dealer(connectingTo: machine)
    try stage.wait("\(node) takes no frame", seconds: 5) {
      [UInt8]([0, 0, 0]).withUnsafeBytes { socket.offer($0) } == .sent
    }
    try stage.wait("\(node) logs nothing", seconds: 5) {
      stage.cluster.logLines(of: node, with: "dropped a frame") > before
    }
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    guard let line = lines.last(where: { $0.contains("dropped a frame") }),
      let text = (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["time"] as? String
    else { return 0 }
    // Seconds are enough, and fractions vary.
    let formatter = ISO8601DateFormatter()
    guard let time = formatter.date(from: text.prefix(19) + "Z") else { return 0 }
    return time.timeIntervalSinceNow
  }
}

extension DrillStage {
  /// Seconds by which the newest stamp of a machine's journal is off.
  func skewOfStamp(_ machine: MachineID) throws -> Double {
    let reader = try JournalReader(directory: cluster.map.journalDirectory(of: machine), machine: machine)
    var stamp: Timestamp?
    try reader.forEachEntry(from: reader.lastSequence()) { header, _ in
      stamp = header.stamp
      return true
    }
    guard let stamp else { return 0 }
    return Double(stamp.nanoseconds - MachineClock.wall().nanoseconds) / 1e9
  }
}
