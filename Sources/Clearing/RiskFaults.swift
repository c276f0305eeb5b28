#if NOVATION_PLANT
  /// Bugs that a test build can plant, to show that the checkers see them.
  public struct RiskFaults: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Raises a ceiling without asking whether it fits (breaks `credit`).
    public static let raiseWithoutCheck = RiskFaults(rawValue: 1 << 0)
    /// Credits every deposit twice (breaks `conservation`).
    public static let doubleDeposit = RiskFaults(rawValue: 1 << 1)
    /// Grants a withdrawal without asking whether it is backed (breaks `credit` and `solvency`).
    public static let grantUnbacked = RiskFaults(rawValue: 1 << 2)
    /// Reduces an account without freezing it first (breaks `positions`).
    public static let skipFreeze = RiskFaults(rawValue: 1 << 3)
    /// Forgets a fill's position (breaks `positions`).
    public static let dropFill = RiskFaults(rawValue: 1 << 4)
    /// Ends an epoch without its deposits (breaks `conservation`).
    public static let hideDeposits = RiskFaults(rawValue: 1 << 5)
  }
#endif
