import Foundation

/// The wall clock of one process, moved while it runs. Its monotonic clock stays.
enum FakedClock {
  private static let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"

  static let need = DrillNeed.file(library, package: "faketime")

  static func file(_ node: String) -> String { "/tmp/novation-clock-\(getpid())-\(node)" }

  static func set(_ node: String, hours: Int) throws {
    try Data("\(hours < 0 ? "" : "+")\(hours)h\n".utf8).write(to: URL(fileURLWithPath: file(node)), options: .atomic)
  }

  static func launch(_ node: String) -> NodeLaunch {
    NodeLaunch(environment: [
      "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": file(node), "FAKETIME_NO_CACHE": "1",
      "FAKETIME_DONT_FAKE_MONOTONIC": "1",
      // Named, so that the library leaves the environment where the program's arguments are looked for beside it.
      "FAKETIME_SHARED": "novation-clock novation-clock",
    ])
  }
}

extension DrillStage {
  /// Starts a node with a clock that can be moved, which is right at first.
  func fakeClock(of node: String) throws {
    try FakedClock.set(node, hours: 0)
    plan.launches[node] = FakedClock.launch(node)
    cleanUpLater("the clock's file") { unlink(FakedClock.file(node)) }
  }
}
