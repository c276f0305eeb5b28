import Cluster
import Foundation

/// How busy the machine's disks are, from /proc/diskstats.
struct DiskUsage {
  private let start: [String: Double]
  private let startedAt: Int64

  /// Begins an interval.
  init() {
    start = Self.busyMilliseconds()
    startedAt = MachineClock.monotonic()
  }

  /// Share of the interval in which the busiest disk had work, in percent; `nil` where the kernel does not tell.
  func busyPercentSince() -> Double? {
    let elapsed = Double(MachineClock.monotonic() - startedAt) / 1e6
    let now = Self.busyMilliseconds()
    guard elapsed > 0 else { return nil }
    return start.compactMap { name, before in now[name].map { min(100, 100 * max(0, $0 - before) / elapsed) } }.max()
  }

  /// Milliseconds with I/O in flight since boot, by device: the tenth figure after the name.
  private static func busyMilliseconds() -> [String: Double] {
    guard let text = try? String(contentsOfFile: "/proc/diskstats", encoding: .utf8) else { return [:] }
    var busy: [String: Double] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 12, let milliseconds = Double(fields[12]) else { continue }
      busy[String(fields[2])] = milliseconds
    }
    return busy
  }
}
