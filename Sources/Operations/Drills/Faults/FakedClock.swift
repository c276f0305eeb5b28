import Foundation

/// The wall clock of one process, moved while it runs. Its monotonic clock stays.
enum FakedClock {
  private static let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
  /// The library moves every absolute kernel timer by as much as the wall clock, those of the monotonic clock too:
  /// loops then wake an hour late, or never. A copy without this function leaves them alone.
  private static let unwanted = "timerfd_settime"

  static let need = DrillNeed.file(library, package: "faketime")

  static func file(_ node: String) -> String { "/tmp/novation-clock-\(getpid())-\(node)" }
  static let copy = "/tmp/novation-clock-\(getpid()).so"

  static func set(_ node: String, hours: Int) throws {
    try Data("\(hours < 0 ? "" : "+")\(hours)h\n".utf8).write(to: URL(fileURLWithPath: file(node)), options: .atomic)
  }

  /// Writes the copy of the library. The function is found by its name in the table of symbols; one that is spelled
  /// otherwise is not found, and the C library's own is used.
  static func makeCopy() throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: library))
    let name = Data([0] + Array(unwanted.utf8) + [0])
    guard let place = bytes.range(of: name) else {
      throw SupervisionError(what: library, reason: "it has no \(unwanted): another version than the drill knows")
    }
    // The first letter only: names that this one ends in share its bytes.
    bytes[place.lowerBound + 1] = UInt8(ascii: "_")
    try bytes.write(to: URL(fileURLWithPath: copy), options: .atomic)
  }

  static func launch(_ node: String) -> NodeLaunch {
    NodeLaunch(environment: [
      "LD_PRELOAD": copy, "FAKETIME_TIMESTAMP_FILE": file(node), "FAKETIME_NO_CACHE": "1",
      "FAKETIME_DONT_FAKE_MONOTONIC": "1",
      // Named, so that the library leaves the environment where the program's arguments are looked for beside it.
      "FAKETIME_SHARED": "novation-clock novation-clock",
    ])
  }
}

extension DrillStage {
  /// Starts a node with a clock that can be moved, which is right at first.
  func fakeClock(of node: String) throws {
    try FakedClock.makeCopy()
    try FakedClock.set(node, hours: 0)
    plan.launches[node] = FakedClock.launch(node)
    cleanUpLater("the clock's file") {
      unlink(FakedClock.file(node))
      unlink(FakedClock.copy)
    }
  }
}
