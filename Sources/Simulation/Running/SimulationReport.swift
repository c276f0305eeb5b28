import Operations

/// What a run of seeds came to: the object on the last line of `novation simulate`.
public struct SimulationReport: Codable, Sendable {
  public struct Invariant: Codable, Sendable, Hashable {
    public var checks: Int
    public var breaches: Int
  }

  public var seeds: Int
  public var first_seed: UInt64
  /// Events of each seed before its faults are healed.
  public var steps: Int
  public var simulated_hours: Double
  public var wall_seconds: Double
  /// Events in all.
  public var events: Int
  /// How often each fault bit, by its name; of the network's, frames that it hit.
  public var injections: [String: Int]
  public var inputs: Int
  public var acknowledged: Int
  public var fills: Int
  /// Epochs posted.
  public var epochs: Int
  public var invariants: [String: Invariant]
  public var breaches: [SimulationBreach]

  /// Nothing was breached.
  public var isSound: Bool { breaches.isEmpty }

  /// Breaches that are told in words; the rest are only counted.
  static let mostBreaches = 64

  init(firstSeed: UInt64, steps: Int) {
    seeds = 0
    first_seed = firstSeed
    self.steps = steps
    simulated_hours = 0
    wall_seconds = 0
    events = 0
    injections = [:]
    inputs = 0
    acknowledged = 0
    fills = 0
    epochs = 0
    breaches = []
    invariants = [:]
    for name in InvariantName.allCases { invariants[name.rawValue] = Invariant(checks: 0, breaches: 0) }
  }

  mutating func append(_ outcome: SeedOutcome) {
    seeds += 1
    simulated_hours += Double(outcome.simulatedNanoseconds) / 3.6e12
    events += outcome.steps
    for (name, count) in outcome.injections { injections[name, default: 0] += count }
    inputs += outcome.inputs
    acknowledged += outcome.acknowledged
    fills += outcome.fills
    epochs += outcome.epochs
    for (name, checks) in outcome.checks { invariants[name]?.checks += checks }
    for breach in outcome.breaches {
      invariants[breach.invariant]?.breaches += 1
      if breaches.count < Self.mostBreaches { breaches.append(breach) }
    }
  }
}
