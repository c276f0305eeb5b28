/// What a simulation is told besides its seed.
public struct SimulationOptions: Sendable, Hashable {
  /// Events before all faults are healed.
  public var steps = 6_000
  public var clients = 6
  /// Places in the seed's list of injections that are left out; `nil` in `only` for all others.
  public var without: Set<Int> = []
  /// The only injections that are made, if set.
  public var only: Set<Int>?
  /// Lines of the log that are kept, the newest.
  public var keptLines = 40
  /// Names of planted bugs; a test build alone has any.
  public var plants: [String] = []

  public init() {}
}
