import Cluster
import Foundation

/// Runs one drill from a fresh cluster to its verdict.
public struct DrillRunner {
  private let drill: any Drill
  private let options: DrillOptions
  private let executable: String
  private static let settleSeconds = 60.0

  public init(_ drill: any Drill, _ options: DrillOptions, executable: String) {
    self.drill = drill
    self.options = options
    self.executable = executable
  }

  /// Never throws: what went wrong is in the report.
  public func run() -> DrillReport {
    Interruption.watch()
    let started = Date()
    let path = options.dataDirectory ?? "\(NSTemporaryDirectory())/novation-drill-\(getpid())-\(drill.name)"
    let stage = DrillStage(drill, options, executable: executable, path: path)
    defer { stage.cleanUp() }
    if let complaint = drill.needs.lazy.compactMap(\.complaint).first {
      stage.report.problems.append(complaint)
      return stage.report
    }
    let wasAudited = perform(stage)
    stage.cleanUp()
    stage.report.judge(wasAudited: wasAudited)
    stage.report.seconds = Date().timeIntervalSince(started)
    draw(stage)
    if options.dataDirectory == nil {
      if stage.report.passed {
        try? stage.directory.removeAll()
      } else {
        stage.say("its data stay in \(stage.directory.path)")
      }
    }
    return stage.report
  }

  /// - Returns: whether the outcome was audited.
  private func perform(_ stage: DrillStage) -> Bool {
    do {
      try open(stage)
    } catch {
      stage.report.problems.append("\(error)")
      stage.heal()
      stage.stopCluster()
      return false
    }
    attempt(stage) {
      try drill.run(in: stage)
      // Shorter drills keep up the load for as long as was asked.
      while stage.elapsed < options.seconds { try stage.pause(0.05) }
    }
    stage.heal()
    guard let cluster = stage.clusterIfRunning else { return false }
    attempt(stage) { try stage.endLoad() }
    // Without a supervisor of its own the cluster goes on, and is audited as it runs.
    if let own = cluster.own { attempt(stage) { _ = try own.waitUntilSettled(seconds: Self.settleSeconds) } }
    stage.stopCluster()
    return audit(stage, isRunning: cluster.own == nil)
  }

  private func open(_ stage: DrillStage) throws {
    if options.dataDirectory != nil, let holder = SupervisorLock.holder(dataDirectory: stage.directory.path) {
      guard drill.attaches else {
        throw SupervisionError(
          what: stage.directory.path,
          reason: "a cluster runs here (process \(holder)); \(drill.name) needs one of its own making")
      }
      try stage.attachToCluster()
    } else {
      try drill.prepare(stage)
      guard stage.plan.startsCluster else { return }
      stage.say("starting a cluster in \(stage.directory.path)")
      try stage.startCluster()
    }
    try stage.startLoad()
  }

  private func attempt(_ stage: DrillStage, _ body: () throws -> Void) {
    do {
      try body()
    } catch {
      stage.report.problems.append("\(error)")
    }
  }

  /// By a process of its own, from the clients' logs, the journals and the settlement layer alone.
  private func audit(_ stage: DrillStage, isRunning: Bool) -> Bool {
    do {
      let auditor = try CapturedProcess.audit(
        executable: executable, dataDirectory: stage.directory.path, isRunning: isRunning)
      _ = auditor.wait()
      let audit = try auditor.result(AuditReport.self)
      stage.report.state_root = audit.state_root
      stage.report.epochs = audit.epochs
      stage.report.invariants = audit.invariants
      return !audit.invariants.isEmpty
    } catch {
      stage.report.problems.append("\(error)")
      return false
    }
  }

  private func draw(_ stage: DrillStage) {
    guard let path = options.svgPath else { return }
    attempt(stage) {
      try FileManager.default.createDirectory(
        at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
      let text = DrillPlot.svg(stage.report, stage.timeline.slices, start: stage.loadStart)
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
      stage.report.svg = path
    }
  }
}
