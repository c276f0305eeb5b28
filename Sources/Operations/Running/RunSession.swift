import Cluster
import Foundation
import Listing

/// What `cluster/run` does: a local cluster, a load on it, a look at it, and in the end an audit of it.
public final class RunSession {
  public struct Options: Sendable {
    public var dataDirectory = "data"
    public var configuration = ClusterConfiguration()
    public var instrumentsPath = "cluster/config/instruments.toml"
    /// Length of the measured window; without it the cluster runs until it is interrupted.
    public var seconds: Double?
    /// Orders a second; without it built-in market makers quote.
    public var load: Int?
    public var batch = 32
    public var accounts = 64
    public var isFresh = false
    public var wantsJSON = false
    /// Passed to every node and to the auditor: bugs of a test build.
    public var plants: [String] = []
    public init() {}
  }

  /// Orders a second of the built-in market makers.
  public static let makersRate = 1_000

  private let options: Options
  private let executable: String
  private var output = ""

  public init(_ options: Options, executable: String) {
    self.options = options
    self.executable = executable
  }

  /// Runs to the end.
  /// - Returns: the exit code: 0 only if everything came up and nothing was breached.
  public func run() throws -> Int32 {
    Interruption.watch()
    let directory = ClusterDirectory(
      path: options.dataDirectory, configuration: options.configuration, instrumentsPath: options.instrumentsPath)
    if options.isFresh { try directory.removeAll() }
    say("starting a cluster in \(directory.path)")
    let cluster = try LocalCluster(
      directory: directory, executable: executable, nodeArguments: options.plants.flatMap { ["--plant", $0] })
    if !cluster.listing.expired.isEmpty {
      say("expired, and so not listed: \(cluster.listing.expired.map(\.description).joined(separator: ", "))")
    }
    let load: LoadReport?
    do {
      load = try drive(cluster)
      try cluster.waitUntilSettled(seconds: 60)
    } catch {
      _ = cluster.stop()
      throw error
    }
    let unclean = cluster.stop()
    for problem in unclean { say("not a clean end: \(problem)") }
    let audit = try audit(cluster.map.dataDirectory)
    report(load, audit, restarts: cluster.supervisor.restarts)
    let isSound = audit.isSound && unclean.isEmpty && (options.seconds == nil || load != nil)
    return isSound ? 0 : 1
  }

  /// Keeps the cluster alive while the load runs in a process of its own.
  private func drive(_ cluster: LocalCluster) throws -> LoadReport? {
    var arguments = [
      "load", "--data", cluster.map.dataDirectory, "--rate", "\(options.load ?? Self.makersRate)", "--batch",
      "\(options.batch)", "--accounts", "\(options.accounts)", "--json",
    ]
    arguments += ["--seconds", "\(options.seconds ?? 1e9)"]
    let (child, reading) = try ChildProcess.start(
      name: "load", executable: executable, arguments: arguments,
      output: .pipe(errors: "\(cluster.map.logDirectory)/load.out"))
    guard let reading else { throw SupervisionError(what: "load", reason: "no pipe") }
    defer { close(reading) }
    _ = fcntl(reading, F_SETFL, O_NONBLOCK)
    let view = options.wantsJSON || isatty(1) == 0 ? nil : LiveView(cluster)
    var asked = false
    while true {
      try cluster.supervisor.tend()
      drain(reading)
      if let ending = child.reap() {
        drain(reading)
        view?.close()
        guard ending.isClean else {
          throw SupervisionError(
            what: "load", reason: "\(ending.text); see \(cluster.map.logDirectory)/load.out")
        }
        break
      }
      if Interruption.wasRequested, !asked {
        asked = true
        child.send(SIGINT)
      }
      view?.refresh()
      usleep(20_000)
    }
    guard let last = output.split(separator: "\n").last else { return nil }
    return try JSONDecoder().decode(LoadReport.self, from: Data(last.utf8))
  }

  private func drain(_ descriptor: Int32) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      guard count > 0 else { return }
      output += String(decoding: buffer[..<count], as: UTF8.self)
    }
  }

  /// The auditor is a process of its own, which sees only logs, journals and the settlement layer.
  private func audit(_ dataDirectory: String) throws -> AuditReport {
    say("auditing")
    let (child, reading) = try ChildProcess.start(
      name: "audit", executable: executable, arguments: ["audit", "--data", dataDirectory, "--json"],
      output: .pipe(errors: "\(dataDirectory)/logs/audit.out"))
    guard let reading else { throw SupervisionError(what: "audit", reason: "no pipe") }
    defer { close(reading) }
    output = ""
    var ending: ChildProcess.Ending?
    while ending == nil {
      drain(reading)
      ending = child.reap()
      usleep(5_000)
    }
    drain(reading)
    guard let last = output.split(separator: "\n").last,
      let report = try? JSONDecoder().decode(AuditReport.self, from: Data(last.utf8))
    else {
      throw SupervisionError(what: "audit", reason: "\(ending?.text ?? ""); see \(dataDirectory)/logs/audit.out")
    }
    return report
  }

  // MARK: Words

  private func say(_ text: String) {
    FileHandle.standardError.write(Data("\(text)\n".utf8))
  }

  private func report(_ load: LoadReport?, _ audit: AuditReport, restarts: [String: Int]) {
    let summary = RunReport(load: load, audit: audit)
    if options.wantsJSON {
      print(summary.json)
    } else {
      print(summary.text)
    }
    for (node, count) in restarts.sorted(by: { $0.key < $1.key }) where count > 0 {
      say("\(node) was started again \(count) times")
    }
  }
}
