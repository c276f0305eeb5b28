#if NOVATION_PLANT
  /// Bugs that a test build plants in a shard to show that the invariants report them.
  public struct ShardFaults: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Accept whatever the ceiling says.
    public static let skipCreditCheck = ShardFaults(rawValue: 1 << 0)
    /// Apply a signed action as often as it comes.
    public static let skipNonceDedupe = ShardFaults(rawValue: 1 << 1)
    /// Give every buyer one unit more than the seller pays.
    public static let mintOnFill = ShardFaults(rawValue: 1 << 2)
    /// Let orders trade after their expiry.
    public static let ignoreExpiry = ShardFaults(rawValue: 1 << 3)
    /// Put every other order in front of its level instead of behind it.
    public static let breakPriority = ShardFaults(rawValue: 1 << 4)
    /// Stay in the old epoch after a seal.
    public static let keepStaleEpoch = ShardFaults(rawValue: 1 << 5)
    /// Forget to release a cancelled order's charge.
    public static let leakReservation = ShardFaults(rawValue: 1 << 6)
    /// Leave out the position movement of every seller.
    public static let dropPosition = ShardFaults(rawValue: 1 << 7)
    /// Trap at every action whose first operation has `poisonLabel`.
    public static let trapAtPoison = ShardFaults(rawValue: 1 << 8)

    public static let poisonLabel: UInt32 = 0xDEAD_0DE5

    static func isPoison(_ payload: UnsafeRawBufferPointer) -> Bool {
      SignedActionView(payload)?.operation(0).label == poisonLabel
    }
  }
#endif
