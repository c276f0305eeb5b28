import Foundation

/// A process of the cluster that the supervisor started.
struct ChildProcess {
  let name: String
  let identifier: pid_t
  let startedAt: Int64

  /// Starts `executable`; its standard output and error go to `outputPath`, its input is empty.
  static func start(
    name: String, executable: String, arguments: [String], outputPath: String
  ) throws(SupervisionError) -> ChildProcess {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o640)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // A group of its own: Ctrl-C reaches the supervisor alone, which then stops the nodes in order.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)

    var cArguments: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) }
    cArguments.append(nil)
    defer { for argument in cArguments { free(argument) } }
    var identifier = pid_t()
    let status = posix_spawn(&identifier, executable, &actions, &attributes, cArguments, environ)
    guard status == 0 else {
      throw SupervisionError(what: name, reason: "cannot start \(executable): \(String(cString: strerror(status)))")
    }
    return ChildProcess(
      name: name, identifier: identifier,
      startedAt: Int64(DispatchTime.now().uptimeNanoseconds))
  }

  /// How the process ended, once it has; reaps it.
  func reap() -> Ending? {
    var status: Int32 = 0
    let found = waitpid(identifier, &status, WNOHANG)
    guard found == identifier || (found < 0 && errno == ECHILD) else { return nil }
    if found < 0 { return Ending(text: "is gone", isClean: false) }
    let signal = status & 0x7f
    if signal != 0 { return Ending(text: "was killed by signal \(signal)", isClean: false) }
    let code = (status >> 8) & 0xff
    return Ending(text: "exited with code \(code)", isClean: code == 0)
  }

  struct Ending {
    var text: String
    var isClean: Bool
  }

  func send(_ signal: Int32) { _ = kill(identifier, signal) }
}

/// Something that the supervisor could not do.
struct SupervisionError: Error, CustomStringConvertible {
  var what: String
  var reason: String
  var description: String { "\(what): \(reason)" }
}
