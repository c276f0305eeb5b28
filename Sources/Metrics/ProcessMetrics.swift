import Foundation

/// What the kernel tells about this process, under the names that Prometheus' own libraries use.
public enum ProcessMetrics {
  /// Read from /proc at every call; what cannot be read is left out.
  public static func families() -> [MetricFamily] {
    var families: [MetricFamily] = []
    func add(_ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: Double?) {
      guard let value else { return }
      families.append(MetricFamily(name, kind, help: help, samples: [.init([], value)]))
    }
    let fields = statistics()
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    // Counted from the field after the command's name: 11 and 12 are user and system time, 19 the start, 20 and 21 the
    // memory.
    let cpu = fields.count > 21 ? Double(fields[11]).flatMap { user in Double(fields[12]).map { user + $0 } } : nil
    add("process_cpu_seconds_total", .counter, "User and system time of this process.", cpu.map { $0 / ticks })
    add(
      "process_resident_memory_bytes", .gauge, "Memory of this process that is in RAM.",
      fields.count > 21 ? Double(fields[21]).map { $0 * Double(sysconf(Int32(_SC_PAGESIZE))) } : nil)
    add(
      "process_virtual_memory_bytes", .gauge, "Address space of this process, its journals' maps included.",
      fields.count > 21 ? Double(fields[20]) : nil)
    add(
      "process_start_time_seconds", .gauge, "When this process started, in seconds since 1970.",
      fields.count > 21 ? Double(fields[19]).flatMap { start in bootTime().map { $0 + start / ticks } } : nil)
    let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    // Less the one with which they are counted.
    add("process_open_fds", .gauge, "Open file descriptors.", descriptors.map { Double($0 - 1) })
    var limit = rlimit()
    let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    add("process_max_fds", .gauge, "Most file descriptors.", isKnown ? Double(limit.rlim_cur) : nil)
    return families
  }

  private static func statistics() -> [Substring] {
    guard let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return [] }
    return text[end...].dropFirst(2).split(separator: " ")
  }

  /// Seconds since 1970.
  private static func bootTime() -> Double? {
    guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8) else { return nil }
    return text.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
  }
}
