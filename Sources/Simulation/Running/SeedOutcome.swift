import Bytes
import Journal
import Machine
import Market
import Operations

/// A breach of an invariant: where it was found, and what it is.
public struct SimulationBreach: Codable, Sendable, Hashable {
  public var seed: UInt64
  public var invariant: String
  /// Events before it.
  public var step: Int
  public var what: String
}

/// What one seed came to.
struct SeedOutcome: Sendable {
  var seed: UInt64
  var steps: Int
  var simulatedNanoseconds: Int64
  var injections: [String: Int]
  var network: NetworkCounts
  var inputs: Int
  var acknowledged: Int
  var fills: Int
  var epochs: Int
  var checks: [String: Int]
  var breaches: [SimulationBreach]
  /// The last events before the first breach.
  var lastEvents: [String]
  /// Equal for two runs of one seed.
  var trace: UInt64
  /// Injections that were made, by their place in the seed's list.
  var made: [Int]
}

extension SeedOutcome {
  init(_ simulation: Simulation) {
    let cluster = simulation.cluster
    seed = simulation.seed
    steps = cluster.time.steps
    simulatedNanoseconds = cluster.time.now
    injections = simulation.faults.counts
    network = cluster.network.counts
    injections["frames"] = network.frames
    injections["frames_lost"] = network.lost + network.cut
    injections["frames_duplicated"] = network.duplicated
    injections["frames_reordered"] = network.reordered
    injections["frames_delayed"] = network.delayed
    inputs = simulation.watch.inputs
    acknowledged = simulation.acknowledgements
    fills = simulation.watch.fills
    epochs = simulation.watch.settled.posts
    checks = [:]
    for invariant in InvariantName.allCases { checks[invariant.rawValue] = simulation.checks(of: invariant) }
    breaches = simulation.breaches
    lastEvents = simulation.firstBreachLog ?? []
    var hasher = cluster.time.trace
    for machine in cluster.hosted {
      if let head = cluster.archive(of: machine)?.position.chainHead { head.withBytes { hasher.combine($0) } }
    }
    trace = hasher.value
    made = simulation.faults.injections.filter { $0.at <= cluster.time.now }.map(\.place)
  }
}
