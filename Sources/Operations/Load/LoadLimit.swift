import Foundation

/// Which process (or the disk) bounds a load's rate, or would next, and why.
public struct LoadLimit: Codable, Sendable, Hashable {
  /// A process's name, `cpu` for all cores together, `disk`, or empty when nothing was measured.
  public var name = ""
  /// How busy it was: of one core, of all cores, or of the time.
  public var busy_percent = 0.0
  /// One line.
  public var reason = ""

  init() {}

  /// From this share on something is as busy as it gets.
  static let saturatedPercent = 85.0

  /// Below this share of what was offered (and not rejected) a rate counts as not kept; answers on their way when the
  /// window ends are within it.
  static let keptShare = 0.98

  /// - Parameters:
  ///   - cpuPercent: of one core, by process.
  ///   - diskBusyPercent: share of the time in which the busiest disk had work; `nil` where nobody tells.
  ///   - cores: of this machine.
  init(cpuPercent: [String: Double], diskBusyPercent: Double?, cores: Int, offered: Double, achieved: Double) {
    let busiest = cpuPercent.max { ($0.value, $1.key) < ($1.value, $0.key) }
    guard let busiest else { return }
    func text(_ percent: Double) -> String { String(format: "%.0f %%", percent) }
    let total = cpuPercent.values.reduce(0, +)
    let ofMachine = total / Double(max(1, cores))
    let kept =
      offered > 0 && achieved < Self.keptShare * offered ? "the offered rate was not kept" : "the offered rate was kept"
    if busiest.value >= Self.saturatedPercent {
      name = busiest.key
      busy_percent = busiest.value
      reason = "\(kept); \(name) has its core full (\(text(busiest.value)))"
    } else if ofMachine >= Self.saturatedPercent {
      name = "cpu"
      busy_percent = ofMachine
      reason = "\(kept); the processes together fill \(cores) cores to \(text(ofMachine)), \(busiest.key) most"
    } else if let diskBusyPercent, diskBusyPercent >= Self.saturatedPercent, diskBusyPercent > busiest.value {
      name = "disk"
      busy_percent = diskBusyPercent
      reason =
        "\(kept); the disk has work \(text(diskBusyPercent)) of the time, no process more than "
        + "\(text(busiest.value)) of a core"
    } else {
      name = busiest.key
      busy_percent = busiest.value
      reason = "\(kept); nothing is full, \(name) is nearest with \(text(busiest.value)) of a core"
    }
  }
}
