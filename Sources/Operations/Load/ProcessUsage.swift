import Cluster
import Foundation

/// CPU time and memory of processes, from /proc.
public struct ProcessUsage: Sendable {
  private let processes: [String: pid_t]
  private let start: [String: Double]
  private let startedAt: Int64

  /// Begins an interval for these processes, and this one as `load`.
  public init(_ processes: [String: pid_t]) {
    var all = processes
    all["load"] = getpid()
    self.processes = all
    start = all.compactMapValues { Self.cpuSeconds($0) }
    startedAt = MachineClock.monotonic()
  }

  /// Percent of one CPU since the interval began, by name; processes that ended are left out.
  public func percentSince() -> [String: Double] {
    let elapsed = Double(MachineClock.monotonic() - startedAt) / 1e9
    var percent: [String: Double] = [:]
    for (name, identifier) in processes {
      guard let before = start[name], let now = Self.cpuSeconds(identifier), elapsed > 0 else { continue }
      percent[name] = (1_000 * (now - before) / elapsed).rounded() / 10
    }
    return percent
  }

  /// Resident memory now, in bytes, by name.
  public func residentBytes() -> [String: Int] { processes.compactMapValues { Self.residentBytes($0) } }

  /// User and system time of a process so far.
  public static func cpuSeconds(_ process: pid_t) -> Double? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(end, offsetBy: 2)...].split(separator: " ")
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// Resident memory in bytes.
  public static func residentBytes(_ process: pid_t) -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8) else { return nil }
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
