/// What a drill did and how it went.
public struct DrillReport: Codable, Sendable {
  /// One fault.
  public struct Injection: Codable, Sendable {
    /// Seconds after the start of the load.
    public var at_seconds: Double
    /// When it was taken away, if it lasts.
    public var healed_seconds: Double?
    public var what: String
    /// Counters that show that it bit; none may be zero.
    public var proof: [String: Int64]
    /// Orders accepted, as clients saw it, in the second before the fault, and in one after the recovery.
    public var traffic_before: Int
    public var traffic_after: Int
    /// From the end of the fault until everything answered again.
    public var recovery_ms: Double?
  }

  public var drill: String
  public var what: String
  public var seed: UInt64
  public var passed = false
  /// Why it did not pass; empty if it did.
  public var problems: [String] = []
  public var injections: [Injection] = []
  /// Orders accepted in the second before the first fault, and in one after the last.
  public var traffic_before = 0
  public var traffic_after = 0
  public var recovery_ms: [Double] = []
  public var recovery_ms_median = 0.0
  /// What was seen beside the proofs, by name.
  public var figures: [String: Double] = [:]
  /// Wall time of the whole drill.
  public var seconds = 0.0
  public var load: LoadReport?
  public var invariants: [AuditReport.Invariant] = []
  public var epochs = 0
  public var state_root = ""
  /// Path of the timeline's picture.
  public var svg: String?

  public init(drill: String, what: String, seed: UInt64) {
    self.drill = drill
    self.what = what
    self.seed = seed
  }

  /// Draws the conclusion: a drill that injected nothing, or had nothing to disturb, has not passed.
  mutating func judge(wasAudited: Bool) {
    if injections.isEmpty { problems.append("nothing was injected") }
    for injection in injections {
      let place = "\(injection.what), at \(Self.tenths(injection.at_seconds)) s"
      if injection.proof.isEmpty { problems.append("\(place): nothing shows that it bit") }
      for (counter, value) in injection.proof.sorted(by: { $0.key < $1.key }) where value <= 0 {
        problems.append("\(place): it did not bite: \(counter) is \(value)")
      }
      if injection.traffic_before <= 0 { problems.append("\(place): no traffic before it") }
      if injection.traffic_after <= 0 { problems.append("\(place): no traffic after it") }
    }
    traffic_before = injections.first?.traffic_before ?? 0
    traffic_after = injections.last?.traffic_after ?? 0
    recovery_ms = injections.compactMap(\.recovery_ms)
    let sorted = recovery_ms.sorted()
    recovery_ms_median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    if let load, load.unanswered > 0 { problems.append("\(load.unanswered) actions never had an answer") }
    for invariant in invariants {
      if invariant.checks == 0 { problems.append("\(invariant.name) was not checked") }
      if invariant.breaches > 0 {
        problems.append("\(invariant.name) is breached: \(invariant.details.first ?? "\(invariant.breaches) times")")
      }
    }
    if !wasAudited { problems.append("the outcome was not audited") }
    passed = problems.isEmpty
  }

  static func tenths(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10)" }
}
