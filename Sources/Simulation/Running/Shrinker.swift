import Operations

/// Looks for the smallest run of a seed that still breaches the same invariant: fewer faults, fewer clients, fewer
/// steps.
struct Shrinker {
  /// Runs that it may take.
  private static let mostRuns = 60

  private let seed: UInt64
  private let invariant: String
  private(set) var options: SimulationOptions
  private(set) var runs = 0
  /// The smallest run so far.
  private var best: SeedOutcome

  init(_ failed: SeedOutcome, _ options: SimulationOptions) {
    seed = failed.seed
    invariant = failed.breaches[0].invariant
    self.options = options
    best = failed
  }

  /// - Returns: what the smallest run came to.
  mutating func shrink() throws -> SeedOutcome {
    try shrinkSteps()
    try shrinkInjections()
    try shrinkClients()
    try shrinkSteps()
    return best
  }

  /// Whether the invariant is still breached with these options; if so they are the new smallest.
  private mutating func stillFails(_ change: (inout SimulationOptions) -> Void) throws -> Bool {
    guard runs < Self.mostRuns else { return false }
    var candidate = options
    change(&candidate)
    guard candidate != options else { return false }
    runs += 1
    let outcome = try Simulation(seed: seed, options: candidate).run(until: invariant)
    guard outcome.breaches.contains(where: { $0.invariant == invariant }) else { return false }
    options = candidate
    best = outcome
    return true
  }

  private mutating func shrinkSteps() throws {
    let step = best.breaches.first { $0.invariant == invariant }?.step ?? options.steps
    if step + 1 < options.steps, try stillFails({ $0.steps = step + 1 }) { return }
    var low = 0
    var high = options.steps
    while high - low > max(50, high / 16), runs < Self.mostRuns {
      let middle = (low + high) / 2
      if try stillFails({ $0.steps = middle }) { high = middle } else { low = middle }
    }
  }

  /// Leaves injections out by halves, then by smaller parts.
  private mutating func shrinkInjections() throws {
    if try stillFails({ $0.only = [] }) { return }
    var kept = best.made
    _ = try stillFails { [kept] in $0.only = Set(kept) }
    var size = max(1, kept.count / 2)
    while size >= 1, runs < Self.mostRuns - 8 {
      var place = 0
      while place < kept.count {
        let rest = kept[..<place] + kept[min(place + size, kept.count)...]
        if try stillFails({ $0.only = Set(rest) }) { kept = Array(rest) } else { place += size }
      }
      size /= 2
    }
  }

  private mutating func shrinkClients() throws {
    for clients in [1, 2, 3, 4] where clients < options.clients {
      if try stillFails({ $0.clients = clients }) { return }
    }
  }

  // MARK: Words

  var text: String {
    let faults = options.only.map { "\($0.count) faults" } ?? "all faults"
    return "\(options.steps) steps, \(options.clients) clients, \(faults)"
  }

  /// What runs it again.
  var command: String {
    var words = ["novation simulate --seed \(seed) --steps \(options.steps) --clients \(options.clients)"]
    if let only = options.only {
      let places = only.sorted().map { "\($0)" }.joined(separator: ",")
      words.append("--only \(places.isEmpty ? "none" : places)")
    }
    words += options.plants.map { "--plant \($0)" }
    return words.joined(separator: " ")
  }
}
