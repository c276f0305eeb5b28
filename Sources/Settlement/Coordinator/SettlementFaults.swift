#if NOVATION_PLANT
  /// Bugs that a test build plants, to show that each is found.
  public struct SettlementFaults: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Applies an epoch whose sums do not balance.
    public static let skipConservation = SettlementFaults(rawValue: 1 << 0)
    /// Asks for every post twice.
    public static let postTwice = SettlementFaults(rawValue: 1 << 1)
    /// Gives the first rewritten user's dollar ledger one unit more than the commitments say.
    public static let mintOnApply = SettlementFaults(rawValue: 1 << 2)
    /// Names another root as the one that it builds upon.
    public static let wrongPreviousRoot = SettlementFaults(rawValue: 1 << 3)
    /// Hands out proofs that lead nowhere.
    public static let wrongProof = SettlementFaults(rawValue: 1 << 4)
  }
#endif
