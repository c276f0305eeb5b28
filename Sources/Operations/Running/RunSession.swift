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

  /// What the built-in market makers send: mass quotes under protection, and orders that trade with them.
  static var makersMix: LoadMix {
    var mix = LoadMix()
    (mix.new, mix.cancel, mix.replace, mix.crossing) = (0, 0, 0, 10)
    mix.quote = 90
    return mix
  }

  private let options: Options
  private let executable: String

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
    var problems: [String] = []
    var load: LoadReport?
    do {
      load = try drive(cluster)
      try cluster.waitUntilSettled(seconds: 60)
    } catch {
      // A cluster that went wrong is audited all the more.
      problems.append("\(error)")
    }
    problems += cluster.stop()
    say("auditing")
    let auditor = try CapturedProcess.audit(executable: executable, dataDirectory: cluster.map.dataDirectory)
    _ = auditor.wait()
    let audit = try auditor.result(AuditReport.self)
    report(load, audit, restarts: cluster.supervisor.restarts)
    for problem in problems { say("not as it should be: \(problem)") }
    return audit.isSound && problems.isEmpty && load != nil ? 0 : 1
  }

  /// Keeps the cluster alive while the load runs in a process of its own.
  private func drive(_ cluster: LocalCluster) throws -> LoadReport {
    let generator = try CapturedProcess.load(
      executable: executable, dataDirectory: cluster.map.dataDirectory, rate: options.load ?? Self.makersRate,
      batch: options.batch, accounts: options.accounts, seconds: options.seconds ?? 1e9,
      mix: options.load == nil ? Self.makersMix : .standard)
    let view = options.wantsJSON || isatty(1) == 0 ? nil : LiveView(cluster)
    var isAsked = false
    let ending = try generator.wait {
      try cluster.supervisor.tend()
      if Interruption.wasRequested, !isAsked {
        isAsked = true
        generator.child.send(SIGINT)
      }
      view?.refresh()
    }
    view?.close()
    guard ending.isClean else {
      throw SupervisionError(what: "load", reason: "\(ending.text); see \(cluster.map.logDirectory)/load.out")
    }
    return try generator.result(LoadReport.self)
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
