#if NOVATION_PLANT
  import Clearing
  import Cluster
  import Market
  import Matching
  import Operations
  import Settlement
  import Testing

  /// A machine with a bug leaves traces in the journals of those who listened to it: each is found.
  @Suite struct PlantedBugTests {
    private static func audit(
      _ plant: (InProcessCluster) -> Void, _ drive: (InProcessCluster) throws -> Void = trade
    ) throws -> AuditReport {
      let cluster = try InProcessCluster()
      defer { InProcessCluster.remove(cluster.path) }
      try TradingDay(seed: 11).open(cluster)
      plant(cluster)
      try drive(cluster)
      // What stops at a breach does not become final.
      try cluster.windDown(seconds: 1.5)
      try cluster.close()
      return try Auditor.audit(dataDirectory: cluster.path)
    }

    private static func trade(_ cluster: InProcessCluster) throws {
      var day = TradingDay(seed: 12)
      try day.trade(cluster, actions: 100)
    }

    private static func plant(_ faults: ShardFaults) -> (InProcessCluster) -> Void {
      { cluster in for shard in cluster.shards { shard.plant { $0.faults = faults } } }
    }
    private static func plant(_ faults: RiskFaults) -> (InProcessCluster) -> Void {
      { cluster in cluster.risk.plant { $0.faults = faults } }
    }
    private static func plant(_ faults: SettlementFaults) -> (InProcessCluster) -> Void {
      { cluster in cluster.settlement.plant { $0.faults = faults } }
    }

    private func breached(
      _ report: AuditReport, _ invariants: InvariantName..., location: SourceLocation = #_sourceLocation
    ) throws {
      for invariant in invariants {
        let found = try #require(report[invariant])
        #expect(found.breaches > 0, "\(invariant) is not breached:\n\(report.text)", sourceLocation: location)
      }
    }

    // MARK: Shards

    @Test func anActionAppliedTwiceBreaksAcknowledgedOnce() throws {
      try breached(Self.audit(Self.plant(.skipNonceDedupe)), .acknowledgedOnce)
    }

    @Test func aUnitMintedInAFillBreaksConservation() throws {
      try breached(Self.audit(Self.plant(.mintOnFill)), .conservation, .deterministic, .streams, .liveness)
    }

    @Test func ordersOutOfPriorityBreakOrderTerms() throws {
      try breached(Self.audit(Self.plant(.breakPriority)), .orderTerms, .streams)
    }

    @Test func aPositionThatIsDroppedBreaksPositions() throws {
      try breached(Self.audit(Self.plant(.dropPosition)), .positions, .deterministic)
    }

    @Test func aReservationThatLeaksBreaksPositions() throws {
      try breached(Self.audit(Self.plant(.leakReservation)), .positions, .deterministic)
    }

    @Test func anOrderBeyondItsCeilingBreaksCredit() throws {
      let report = try Self.audit(Self.plant(.skipCreditCheck)) { cluster in
        // More than any ceiling covers, sold to somebody who bought as much.
        for trader in 0..<2 {
          let order = cluster.order(trader == 0 ? .buy : .sell, TestMarket.perpetual, ticks: 0, lots: 90_000)
          // On a busy machine a shard may not have heard from risk for a while.
          var tries = 0
          while try !cluster.trade(trader, [order]).results[0].outcome.isAccepted, tries < 100 {
            try cluster.step()
            tries += 1
          }
        }
        for _ in 0..<20 { try cluster.step() }
      }
      try breached(report, .credit)
    }

    @Test func anExpiredOrderThatTradesBreaksOrderTerms() throws {
      // The market is opened anew with a future that expires at once.
      let cluster = try InProcessCluster { market in
        market.instruments[1].expiry = MachineClock.wall() + .milliseconds(1)
      }
      defer { InProcessCluster.remove(cluster.path) }
      try TradingDay(seed: 11).open(cluster)
      Self.plant(.ignoreExpiry)(cluster)
      try cluster.trade(0, [cluster.order(.buy, TestMarket.future, ticks: 0, lots: 5)])
      try cluster.trade(1, [cluster.order(.sell, TestMarket.future, ticks: 0, lots: 5)])
      try cluster.windDown(seconds: 1.5)
      try cluster.close()
      try breached(Auditor.audit(dataDirectory: cluster.path), .orderTerms)
    }

    // MARK: Risk

    @Test func aCeilingRaisedWithoutCheckBreaksCredit() throws {
      let report = try Self.audit(Self.plant(.raiseWithoutCheck)) { cluster in
        // Each waits for credit; together they need more than the account is worth.
        for _ in 0..<4 {
          try cluster.trade(0, [cluster.order(.buy, TestMarket.perpetual, ticks: -1, lots: 90_000)])
          for _ in 0..<10 { try cluster.step() }
        }
      }
      try breached(report, .credit, .streams)
    }

    @Test func aDepositLeftOutOfItsEpochBreaksConservation() throws {
      let report = try Self.audit(Self.plant(.hideDeposits)) { try $0.deposit(0, .usd, Money(whole: 7)) }
      try breached(report, .conservation, .deterministic)
    }

    @Test func aFillThatIsForgottenBreaksPositions() throws {
      try breached(Self.audit(Self.plant(.dropFill)), .positions, .deterministic)
    }

    // MARK: The coordinator

    @Test func anotherPreviousRootBreaksTheRootChainOrLiveness() throws {
      try breached(Self.audit(Self.plant(.wrongPreviousRoot)), .liveness)
    }
  }
#endif
