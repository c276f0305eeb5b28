import Market
import Testing

@testable import Operations

struct WorkloadTests {
  private static func accepted(_ operations: [Market.Operation]) -> [ActionReply.Result] {
    operations.map { operation in
      let rests = operation.kind == .new && operation.timeInForce == .goodTillCancelled
      return ActionReply.Result(outcome: rests ? .resting : operation.kind == .new ? .filled : .cancelled)
    }
  }

  /// Batches of an account whose orders rest where they can.
  private static func drive(
    _ batches: Int, seed: UInt64 = 1, mix: LoadMix = .standard, quotes: ShardQuotes = LoadMarket.quotes(),
    _ each: (_ nonce: UInt64, _ operations: [Market.Operation]) -> Void
  ) {
    var workload = Workload(account: AccountID(3))
    var random = SeededGenerator(seed: seed)
    var quotes = quotes
    for nonce in 1...UInt64(batches) {
      let operations = workload.operations(32, mix: mix, quotes: &quotes, &random)
      each(nonce, operations)
      workload.learn(nonce, operations, accepted(operations), quotes)
    }
  }

  @Test func everyPriceIsOnTickAndInBand() throws {
    let quotes = LoadMarket.quotes()
    var priced = 0
    var failures = 0
    Self.drive(400) { _, operations in
      for operation in operations where operation.kind == .new || operation.kind == .replace {
        priced += 1
        guard let place = quotes.place(of: operation.instrument) else {
          failures += 1
          return
        }
        let quote = quotes[place]
        let isSound =
          operation.price.units > 0 && operation.price.units % quote.instrument.tickSize.units == 0
          && operation.price >= quote.bandLow && operation.price <= quote.bandHigh
        if !isSound { failures += 1 }
      }
    }
    #expect(priced > 5_000)
    #expect(failures == 0)
  }

  @Test func stopsIcebergsAndQuotesAreWellFormed() throws {
    let quotes = LoadMarket.quotes()
    var mix = LoadMix()
    (mix.new, mix.cancel, mix.replace, mix.crossing, mix.stop, mix.iceberg, mix.quote) = (0, 10, 10, 10, 20, 20, 30)
    var seen: [Market.Operation.Kind: Int] = [:]
    var (stops, icebergs) = (0, 0)
    var failures: [String] = []
    Self.drive(400, mix: mix) { _, operations in
      let quoted = operations.filter { $0.kind == .quote }.map(\.instrument)
      if Set(quoted).count != quoted.count { failures.append("quoted twice in one action") }
      for operation in operations {
        seen[operation.kind ?? .withdraw, default: 0] += 1
        guard let place = quotes.place(of: operation.instrument) else { continue }
        let quote = quotes[place]
        func isSound(_ price: Price) -> Bool {
          price.units % quote.instrument.tick(at: price).units == 0 && price >= quote.bandLow && price <= quote.bandHigh
        }
        if operation.kind == .quote {
          let hasAsk = operation.displayQuantity > .zero
          if !isSound(operation.price) || hasAsk && !isSound(operation.triggerPrice) {
            failures.append("a quote's price")
          }
          if hasAsk, operation.price >= operation.triggerPrice { failures.append("a crossed quote") }
        } else if operation.type == .stopMarket {
          stops += 1
          if operation.price != .zero || !isSound(operation.triggerPrice) { failures.append("a stop's price") }
        } else if operation.kind == .new, operation.displayQuantity > .zero {
          icebergs += 1
          if operation.displayQuantity > operation.quantity { failures.append("an iceberg above itself") }
        }
      }
    }
    #expect(failures.isEmpty, "\(failures.prefix(3))")
    #expect(stops > 1_000 && icebergs > 1_000 && seen[.quote, default: 0] > 500)
  }

  @Test func everyQuantityIsWholeLotsWithinTheLargestOrder() {
    var failures = 0
    Self.drive(400) { _, operations in
      for operation in operations where operation.kind == .new || operation.kind == .replace {
        let instrument = LoadMarket.definition.instruments[Int(operation.instrument.rawValue)]
        let lots = operation.quantity.units / instrument.lotSize.units
        if operation.quantity.units % instrument.lotSize.units != 0 || lots < 1 || lots > instrument.maximumOrder.count
        {
          failures += 1
        }
      }
    }
    #expect(failures == 0)
  }

  @Test func everyInstrumentIsTouchedWhicheverAccountsCome() {
    var quotes = LoadMarket.quotes()
    var random = SeededGenerator(seed: 9)
    var touched: Set<InstrumentID> = []
    // One order an account: turns are of the shard, not of the account.
    for account in 0..<LoadMarket.perShard {
      var workload = Workload(account: AccountID(UInt32(account * 64)))
      for operation in workload.operations(1, mix: .standard, quotes: &quotes, &random) {
        touched.insert(operation.instrument)
      }
    }
    #expect(touched.count == LoadMarket.perShard)
  }

  @Test func anInstrumentWithoutAMarkGetsNoOrderUntilItHasOne() {
    let missing = InstrumentID(2)
    var touched: Set<InstrumentID> = []
    Self.drive(50, quotes: LoadMarket.quotes(missing: [missing])) { _, operations in
      touched.formUnion(operations.map(\.instrument))
    }
    #expect(touched.count == LoadMarket.perShard - 1)
    #expect(!touched.contains(missing))
  }

  @Test func withoutAnyMarkThereIsNothingToOrder() {
    var quotes = ShardQuotes(ShardID(0), LoadMarket.definition)
    var workload = Workload(account: AccountID(1))
    var random = SeededGenerator(seed: 1)
    #expect(workload.operations(32, mix: .standard, quotes: &quotes, &random).isEmpty)
  }

  @Test func aTargetIsAnOwnRestingOrderThatNothingElseCancels() {
    var resting: Set<[UInt64]> = []
    var targets = 0
    var failures = 0
    Self.drive(400) { nonce, operations in
      for operation in operations where operation.kind == .cancel || operation.kind == .replace {
        targets += 1
        let name = [operation.targetNonce, UInt64(operation.targetIndex), UInt64(operation.instrument.rawValue)]
        if !resting.contains(name) { failures += 1 }
        if operation.kind == .cancel { resting.remove(name) }
      }
      for (index, operation) in operations.enumerated() where operation.kind == .new {
        resting.insert([nonce, UInt64(index), UInt64(operation.instrument.rawValue)])
      }
    }
    #expect(targets > 2_000)
    #expect(failures == 0)
  }

  @Test func anOrderThatEndedIsNoTargetAnyMore() {
    var workload = Workload(account: AccountID(1))
    var quotes = LoadMarket.quotes()
    var random = SeededGenerator(seed: 1)
    let operations = workload.operations(8, mix: .standard, quotes: &quotes, &random)
    workload.learn(1, operations, Self.accepted(operations), quotes)
    let open = workload.openCount
    #expect(open > 0)
    for index in operations.indices { workload.forget(1, UInt16(index)) }
    #expect(workload.openCount == 0)
    let next = workload.operations(32, mix: .standard, quotes: &quotes, &random)
    #expect(next.allSatisfy { $0.kind == .new })
  }

  /// Cancels race with trades: those that are about to trade should rarely be among them.
  @Test func cancelsLeaveOrdersNearTheMark() {
    var workload = Workload(account: AccountID(1))
    var quotes = LoadMarket.quotes()
    var random = SeededGenerator(seed: 11)
    var mix = LoadMix.standard
    (mix.new, mix.cancel, mix.replace, mix.crossing) = (100, 0, 0, 0)
    var behind: [[UInt64]: Int64] = [:]
    for nonce in 1...12 as ClosedRange<UInt64> {
      let operations = workload.operations(32, mix: mix, quotes: &quotes, &random)
      workload.learn(nonce, operations, Self.accepted(operations), quotes)
      for (index, operation) in operations.enumerated() {
        guard let place = quotes.place(of: operation.instrument), let side = operation.side else { continue }
        behind[[nonce, UInt64(index)]] = quotes.ticksBehind(operation.price, side, at: place)
      }
    }
    (mix.new, mix.cancel) = (0, 100)
    let cancels = workload.operations(64, mix: mix, quotes: &quotes, &random)
    let cancelled = cancels.compactMap { behind[[$0.targetNonce, UInt64($0.targetIndex)]] }
    func mean(_ values: some Collection<Int64>) -> Double { Double(values.reduce(0, +)) / Double(values.count) }
    #expect(cancelled.count == 64)
    #expect(mean(cancelled) > mean(behind.values) + 1)
  }

  @Test func sharesAreThoseOfTheMix() {
    var counts: [Market.Operation.Kind: Int] = [:]
    var crossing = 0
    var all = 0
    // Not so many that the bound on open orders turns new ones into cancels.
    Self.drive(250) { _, operations in
      for operation in operations {
        guard let kind = operation.kind else { continue }
        all += 1
        counts[kind, default: 0] += 1
        if operation.timeInForce == .immediateOrCancel { crossing += 1 }
      }
    }
    func share(_ count: Int?) -> Double { Double(count ?? 0) / Double(all) }
    #expect(abs(share(counts[.cancel]) - 0.40) < 0.03)
    #expect(abs(share(counts[.replace]) - 0.05) < 0.01)
    #expect(abs(share(crossing) - 0.10) < 0.015)
  }

  @Test func openOrdersAreBounded() {
    var workload = Workload(account: AccountID(1))
    var quotes = LoadMarket.quotes()
    var random = SeededGenerator(seed: 4)
    var mix = LoadMix.standard
    (mix.new, mix.cancel, mix.replace, mix.crossing) = (100, 0, 0, 0)
    for nonce in 1...100 {
      let operations = workload.operations(32, mix: mix, quotes: &quotes, &random)
      workload.learn(UInt64(nonce), operations, Self.accepted(operations), quotes)
    }
    #expect(workload.openCount < Workload.maximumOpen + 32)
  }

  @Test func aSeedGivesTheSameLoadAgain() {
    func load(_ seed: UInt64) -> [Market.Operation] {
      var all: [Market.Operation] = []
      Self.drive(20, seed: seed) { all += $1 }
      return all
    }
    #expect(load(5) == load(5))
    #expect(load(5) != load(6))
  }

  @Test func whatIsListedMeanwhileIsTradedOnceItHasAMark() {
    var quotes = LoadMarket.quotes()
    var market = LoadMarket.definition
    var listed = market.instruments[0]
    listed.id = InstrumentID(UInt32(market.instruments.count))
    listed.name = "BTC-NEW"
    market.instruments.append(listed)
    quotes.list(market)
    quotes.list(market)
    #expect(quotes.quotes.count == LoadMarket.perShard + 1)
    var marks = LoadMarket.marks(ShardID(0))
    func isOffered() -> Bool {
      (0...LoadMarket.perShard).contains { _ in quotes.next()?.instrument.id == listed.id }
    }
    #expect(!isOffered())
    var mark = marks.entries[0]
    mark.instrument = listed.id
    marks.entries.append(mark)
    quotes.take(marks)
    #expect(isOffered())
  }
}
