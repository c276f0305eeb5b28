/// What an audit found: for each invariant how often it was checked and how often it was breached.
public struct AuditReport: Codable, Sendable {
  public struct Invariant: Codable, Sendable {
    public var name: String
    public var checks: Int
    public var breaches: Int
    /// What breached where, the first few.
    public var details: [String]
    public init(name: String, checks: Int, breaches: Int, details: [String] = []) {
      self.name = name
      self.checks = checks
      self.breaches = breaches
      self.details = details
    }
  }
  /// Root of the last final epoch.
  public var state_root: String
  /// Final epochs.
  public var epochs: Int
  public var invariants: [Invariant]
  /// Of each machine whose journal was truncated, the first entry that was audited; absent where all was.
  public var from_sequence: [String: UInt64]?
  public init(state_root: String, epochs: Int, invariants: [Invariant]) {
    self.state_root = state_root
    self.epochs = epochs
    self.invariants = invariants
  }

  /// Nothing was breached, and nothing went unchecked.
  public var isSound: Bool { !invariants.isEmpty && invariants.allSatisfy { $0.checks > 0 && $0.breaches == 0 } }
}
