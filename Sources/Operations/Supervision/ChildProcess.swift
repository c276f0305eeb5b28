import Foundation

/// A process of the cluster that the supervisor started.
public struct ChildProcess: Sendable {
  /// Environment variable that tells a child that its standard input is its lifeline: at its end, the parent is gone.
  public static let lifelineVariable = "NOVATION_LIFELINE"

  public let name: String
  public let identifier: pid_t
  /// The parent's end of the lifeline.
  private let lifeline: Int32

  /// Where a child's standard output goes.
  public enum Output: Sendable {
    /// Appended to a file, together with standard error.
    case file(String)
    /// Into a pipe for the parent to read; standard error is appended to the file.
    case pipe(errors: String)
  }

  /// How a child ended.
  public struct Ending: Sendable {
    public var text: String
    public var code: Int32
    public var isClean: Bool { code == 0 }
    /// It died by its own doing: a trap or a fault, by which a bug shows itself.
    public var isFault: Bool {
      [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV].contains { code == 128 + $0 }
    }
  }

  /// Starts `executable` in a process group of its own, so that Ctrl-C reaches the supervisor alone.
  /// - Parameter launch: what stands before the executable, and what its environment has besides this process's own.
  /// - Returns: the child, and the descriptor to read its output from if it goes into a pipe.
  public static func start(
    name: String, executable: String, arguments: [String], output: Output, launch: NodeLaunch = NodeLaunch()
  ) throws(SupervisionError) -> (child: ChildProcess, reading: Int32?) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let lifeline = try pipe(for: name)
    var reading: Int32?
    var writing: Int32?
    posix_spawn_file_actions_adddup2(&actions, lifeline.read, 0)
    switch output {
    case .file(let path):
      posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_APPEND, 0o640)
      posix_spawn_file_actions_adddup2(&actions, 1, 2)
    case .pipe(let errors):
      let pipe = try pipe(for: name)
      (reading, writing) = (pipe.read, pipe.write)
      posix_spawn_file_actions_adddup2(&actions, pipe.write, 1)
      posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o640)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var noSignals = sigset_t()
    sigemptyset(&noSignals)
    posix_spawnattr_setsigmask(&attributes, &noSignals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))

    let words = launch.prefix + [executable] + arguments
    var cArguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    cArguments.append(nil)
    var environment = ProcessInfo.processInfo.environment
    environment[lifelineVariable] = "1"
    environment.merge(launch.environment) { $1 }
    var cEnvironment: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") }
    cEnvironment.append(nil)
    defer { for text in cArguments + cEnvironment { free(text) } }

    var identifier = pid_t()
    let status = posix_spawn(&identifier, words[0], &actions, &attributes, cArguments, cEnvironment)
    close(lifeline.read)
    if let writing { close(writing) }
    guard status == 0 else {
      close(lifeline.write)
      throw SupervisionError(what: name, reason: "cannot start \(words[0]): \(String(cString: strerror(status)))")
    }
    return (ChildProcess(name: name, identifier: identifier, lifeline: lifeline.write), reading)
  }

  /// Both ends close on exec, so that no child holds another's lifeline.
  private static func pipe(for name: String) throws(SupervisionError) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard Glibc.pipe(&ends) == 0 else {
      throw SupervisionError(what: name, reason: "no pipe: \(String(cString: strerror(errno)))")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  /// How the process ended, once it has; reaps it.
  public func reap() -> Ending? {
    var status: Int32 = 0
    let found = waitpid(identifier, &status, WNOHANG)
    guard found == identifier || (found < 0 && errno == ECHILD) else { return nil }
    close(lifeline)
    if found < 0 { return Ending(text: "is gone", code: -1) }
    let signal = status & 0x7f
    if signal != 0 { return Ending(text: "was killed by signal \(signal)", code: 128 + signal) }
    let code = (status >> 8) & 0xff
    return Ending(text: "exited with code \(code)", code: code)
  }

  /// Waits for the end, at most `seconds`.
  public func wait(seconds: Double) -> Ending? {
    let deadline = Date().addingTimeInterval(seconds)
    while true {
      if let ending = reap() { return ending }
      if Date() > deadline { return nil }
      usleep(5_000)
    }
  }

  public func send(_ signal: Int32) { _ = kill(identifier, signal) }
}

/// Something that the supervisor could not do.
public struct SupervisionError: Error, CustomStringConvertible {
  public var what: String
  public var reason: String
  public init(what: String, reason: String) {
    self.what = what
    self.reason = reason
  }
  public var description: String { "\(what): \(reason)" }
}
