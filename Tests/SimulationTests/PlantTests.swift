#if NOVATION_PLANT
  import Testing

  @testable import Simulation

  extension SeedTests {
    /// Each checker can fail: a bug of its kind is caught, by name, within 100 seeds.
    @Test(arguments: [
      ("acknowledge-before-sync", "acknowledged_once"),
      ("drop-dedupe", "acknowledged_once"),
      ("forget-ticks", "deterministic"),
      ("skip-credit-check", "credit"),
      ("raise-without-check", "credit"),
      ("mint-unit", "conservation"),
      ("hide-deposits", "conservation"),
      ("no-term-check", "one_owner"),
      ("wrong-previous-root", "root_chain"),
      ("wrong-proof", "exit"),
      ("withdrawal-before-cause", "solvency"),
      ("ignore-expiry", "order_terms"),
      ("break-priority", "order_terms"),
      ("drop-epoch-marker", "streams"),
      ("send-before-sync", "streams"),
      ("drop-fill", "positions"),
      ("leak-reservation", "positions"),
      ("drop-position", "positions"),
      ("never-resubscribe", "liveness"),
      ("go-on-after-hand-over", "one_owner"),
      ("believe-old-copy", "acknowledged_once"),
      ("believe-clock", "order_terms"),
    ])
    func aPlantedBugIsCaughtByName(_ plant: String, _ invariant: String) throws {
      let report = try Self.run(1, seeds: 100, plants: [plant], sought: invariant)
      let breach = report.breaches.first { $0.invariant == invariant }
      #expect(breach != nil, "\(plant) was not caught as \(invariant) in \(report.seeds) seeds")
    }

    @Test func everyInvariantHasABugThatItCatches() {
      #expect(SimulatedPlant.names.count >= 21)
    }

    @Test func aFailingSeedShrinksToARunThatStillFails() throws {
      try SimulatedPlant.plant(["mint-unit"])
      defer { SimulatedPlant.removeAll() }
      var options = Self.options(steps: 3_000)
      options.plants = ["mint-unit"]
      let failed = try #require(
        try (1...20).lazy.map { try Simulation(seed: $0, options: options).run() }.first { !$0.breaches.isEmpty })
      #expect(!failed.lastEvents.isEmpty)
      var shrinker = Shrinker(failed, options)
      let shrunk = try shrinker.shrink()
      #expect(shrunk.breaches.contains { $0.invariant == failed.breaches[0].invariant })
      #expect(shrinker.options.only == [])
      #expect(shrinker.options.steps < options.steps)
      let again = try Simulation(seed: failed.seed, options: shrinker.options).run(until: failed.breaches[0].invariant)
      #expect(again.trace == shrunk.trace)
      #expect(shrinker.command.hasPrefix("novation simulate --seed \(failed.seed) --steps \(shrinker.options.steps)"))
      #expect(shrinker.command.hasSuffix("--only none --plant mint-unit"))
    }
  }
#endif
