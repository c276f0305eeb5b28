/// Something that goes wrong, on purpose, in a cluster under load. A drill disturbs and heals; the stage that it runs
/// on drives the load, keeps the proof, and has the outcome audited.
public protocol Drill: Sendable {
  /// As the command line calls it: small letters and hyphens.
  var name: String { get }
  /// What is done and what must hold, in one line.
  var what: String { get }
  /// What the machine must have for it.
  var needs: [DrillNeed] { get }
  /// Whether it can be run on a cluster that somebody else supervises.
  var attaches: Bool { get }
  /// Changes the plan, and lays out what the cluster stands on, before it starts.
  func prepare(_ stage: DrillStage) throws
  /// Disturbs and heals. The cluster serves and the load runs.
  /// - Throws: what kept it from going on; an expectation that does not hold is told to the stage.
  func run(in stage: DrillStage) throws
}

extension Drill {
  public var needs: [DrillNeed] { [] }
  public var attaches: Bool { false }
  public func prepare(_ stage: DrillStage) throws {}
}
