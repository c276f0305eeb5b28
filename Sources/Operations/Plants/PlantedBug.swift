#if NOVATION_PLANT
  import Clearing
  import Cluster
  import MatcherNode
  import Matching
  import RiskNode
  import Settlement
  import SettlementNode
  import Synchronization

  /// A bug that a test build can carry, to show that the auditor sees it. The product's build has none of them.
  public enum PlantedBug: String, CaseIterable, Sendable {
    case acknowledgeBeforeSync = "acknowledge-before-sync"
    case dropDedupe = "drop-dedupe"
    case mintUnit = "mint-unit"
    case skipCreditCheck = "skip-credit-check"
    case ignoreExpiry = "ignore-expiry"
    case breakPriority = "break-priority"
    case dropPosition = "drop-position"
    case leakReservation = "leak-reservation"
    case raiseWithoutCheck = "raise-without-check"
    case doubleDeposit = "double-deposit"
    case dropFill = "drop-fill"
    case skipConservation = "skip-conservation"
    case wrongPreviousRoot = "wrong-previous-root"
    case wrongProof = "wrong-proof"
    case hideDeposits = "hide-deposits"
    case withdrawalBeforeCause = "withdrawal-before-cause"
    case dropEpochMarker = "drop-epoch-marker"
    case sendBeforeSync = "send-before-sync"
    case forgetTicks = "forget-ticks"
    case neverResubscribe = "never-resubscribe"
    case poisonOrder = "poison-order"
    case goOnAfterHandOver = "go-on-after-hand-over"
    case believeOldCopy = "believe-old-copy"
    case believeClock = "believe-clock"

    /// By which a shard with `poisonOrder` knows what it is to die of.
    static let poisonLabel = ShardFaults.poisonLabel

    /// The bugs of these names.
    public static func parse(_ names: [String]) throws -> [PlantedBug] {
      try names.map { name in
        guard let bug = PlantedBug(rawValue: name) else {
          throw SupervisionError(
            what: "--plant \(name)",
            reason: "no such bug; they are \(allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return bug
      }
    }

    /// The names, once they are known to be bugs.
    public static func check(_ names: [String]) throws -> [String] { try parse(names).map(\.rawValue) }

    /// Plants the bugs in whatever this process hosts.
    package static func plantInProcess(_ bugs: [PlantedBug]) {
      HostFaults.acknowledgesBeforeSync.store(bugs.contains(.acknowledgeBeforeSync), ordering: .relaxed)
      HostFaults.sendsBeforeSync.store(bugs.contains(.sendBeforeSync), ordering: .relaxed)
      HostFaults.ignoresEpochs.store(bugs.contains(.dropEpochMarker), ordering: .relaxed)
      HostFaults.forgetsTicks.store(bugs.contains(.forgetTicks), ordering: .relaxed)
      HostFaults.neverResubscribes.store(bugs.contains(.neverResubscribe), ordering: .relaxed)
      HostFaults.goesOnAfterHandOver.store(bugs.contains(.goOnAfterHandOver), ordering: .relaxed)
      HostFaults.believesClocks.store(bugs.contains(.believeClock), ordering: .relaxed)
      HostFaults.believesOldCopies.store(bugs.contains(.believeOldCopy), ordering: .relaxed)
      MatcherNode.faults.withLock { $0 = shardFaults(bugs) }
      RiskNode.faults.withLock { $0 = riskFaults(bugs) }
      SettlementNode.faults.withLock { $0 = settlementFaults(bugs) }
    }

    private static func shardFaults(_ bugs: [PlantedBug]) -> ShardFaults {
      var faults: ShardFaults = []
      for bug in bugs {
        switch bug {
        case .dropDedupe: faults.insert(.skipNonceDedupe)
        case .mintUnit: faults.insert(.mintOnFill)
        case .skipCreditCheck: faults.insert(.skipCreditCheck)
        case .ignoreExpiry: faults.insert(.ignoreExpiry)
        case .breakPriority: faults.insert(.breakPriority)
        case .dropPosition: faults.insert(.dropPosition)
        case .leakReservation: faults.insert(.leakReservation)
        case .poisonOrder: faults.insert(.trapAtPoison)
        default: break
        }
      }
      return faults
    }

    private static func riskFaults(_ bugs: [PlantedBug]) -> RiskFaults {
      var faults: RiskFaults = []
      for bug in bugs {
        switch bug {
        case .raiseWithoutCheck: faults.insert(.raiseWithoutCheck)
        case .doubleDeposit: faults.insert(.doubleDeposit)
        case .dropFill: faults.insert(.dropFill)
        case .hideDeposits: faults.insert(.hideDeposits)
        case .withdrawalBeforeCause: faults.insert(.grantUnbacked)
        default: break
        }
      }
      return faults
    }

    private static func settlementFaults(_ bugs: [PlantedBug]) -> SettlementFaults {
      var faults: SettlementFaults = []
      for bug in bugs {
        switch bug {
        case .skipConservation: faults.insert(.skipConservation)
        case .wrongPreviousRoot: faults.insert(.wrongPreviousRoot)
        case .wrongProof: faults.insert(.wrongProof)
        default: break
        }
      }
      return faults
    }
  }
#endif
