import Foundation

/// What the kernel says of a process.
enum ProcessState {
  /// The state's letter in /proc: `T` for one that a signal stopped; `nil` when there is no such process.
  static func letter(of process: pid_t) -> Character? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      // The name before it may hold anything, brackets included.
      let end = text.lastIndex(of: ")")
    else { return nil }
    return text[text.index(after: end)...].first { $0 != " " }
  }

  /// Resident memory in mebibytes.
  static func residentMegabytes(of process: pid_t) -> Int {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8) else { return 0 }
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
    return (pages * Int(sysconf(Int32(_SC_PAGESIZE)))) >> 20
  }

  static func exists(_ process: pid_t) -> Bool {
    guard let letter = letter(of: process) else { return false }
    return letter != "Z" && letter != "X"
  }
}
