#if NOVATION_PLANT
  import Operations
  import Synchronization

  /// Bugs that a test build of the simulator can carry, to show that its checkers see them: the auditor's, and some of
  /// the simulated world itself.
  public enum SimulatedPlant {
    /// Journals let whoever was their owner go on writing.
    static let skipsTermCheck = Atomic<Bool>(false)

    private static let noTermCheck = "no-term-check"

    /// Every name.
    public static var names: [String] { PlantedBug.allCases.map(\.rawValue) + [noTermCheck] }

    /// Plants bugs in every simulation of this process.
    static func plant(_ names: [String]) throws {
      PlantedBug.plantInProcess(try PlantedBug.parse(names.filter { $0 != noTermCheck }))
      skipsTermCheck.store(names.contains(noTermCheck), ordering: .relaxed)
    }

    static func removeAll() {
      PlantedBug.plantInProcess([])
      skipsTermCheck.store(false, ordering: .relaxed)
    }
  }
#endif
