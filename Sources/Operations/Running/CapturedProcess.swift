import Foundation

/// Another command of this program, run as a process of its own, with what it prints kept.
final class CapturedProcess {
  let child: ChildProcess
  private let descriptor: Int32
  /// What it has printed.
  private(set) var output = ""
  private var hasEnded: ChildProcess.Ending?
  private let errorsPath: String

  /// - Parameter errorsPath: the file that its standard error is appended to.
  init(_ name: String, executable: String, arguments: [String], errorsPath: String) throws {
    let (child, reading) = try ChildProcess.start(
      name: name, executable: executable, arguments: arguments, output: .pipe(errors: errorsPath))
    guard let reading else { throw SupervisionError(what: name, reason: "no pipe") }
    self.child = child
    self.errorsPath = errorsPath
    descriptor = reading
    _ = fcntl(reading, F_SETFL, O_NONBLOCK)
  }

  deinit { close(descriptor) }

  /// Takes what it printed; says how it ended once it has.
  func poll() -> ChildProcess.Ending? {
    if let hasEnded { return hasEnded }
    drain()
    guard let ending = child.reap() else { return nil }
    drain()
    hasEnded = ending
    return ending
  }

  private func drain() {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      guard count > 0 else { return }
      output += String(decoding: buffer[..<count], as: UTF8.self)
    }
  }

  /// Waits for its end, looking after others meanwhile.
  func wait(_ meanwhile: () throws -> Void) rethrows -> ChildProcess.Ending {
    while true {
      if let ending = poll() { return ending }
      try meanwhile()
      usleep(10_000)
    }
  }

  func wait() -> ChildProcess.Ending { wait {} }

  /// The JSON object on its last line.
  /// - Throws: when there is none; the text says where its own words are.
  func result<T: Decodable>(_ type: T.Type) throws -> T {
    guard let last = output.split(separator: "\n").last,
      let value = try? JSONDecoder().decode(T.self, from: Data(last.utf8))
    else {
      throw SupervisionError(
        what: child.name, reason: "\(hasEnded?.text ?? "has not ended") without a result; see \(errorsPath)")
    }
    return value
  }
}

extension CapturedProcess {
  /// A load on a cluster of this machine.
  static func load(
    executable: String, dataDirectory: String, rate: Int, batch: Int, accounts: Int, seconds: Double,
    mix: LoadMix = .standard, more: [String] = []
  ) throws -> CapturedProcess {
    try CapturedProcess(
      "load", executable: executable,
      arguments: [
        "load", "--data", dataDirectory, "--rate", "\(rate)", "--batch", "\(batch)", "--accounts", "\(accounts)",
        "--seconds", "\(seconds)", "--mix", mix.text, "--json",
      ] + more, errorsPath: "\(dataDirectory)/logs/load.out")
  }

  /// The auditor, which sees only logs, journals and the settlement layer.
  /// - Parameter isRunning: the cluster goes on meanwhile.
  static func audit(
    executable: String, dataDirectory: String, isRunning: Bool = false
  ) throws -> CapturedProcess {
    try CapturedProcess(
      "audit", executable: executable,
      arguments: ["audit", "--data", dataDirectory, "--json"] + (isRunning ? ["--running"] : []),
      errorsPath: "\(dataDirectory)/logs/audit.out")
  }
}
