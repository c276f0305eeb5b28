import Bytes
import Machine
import Market
import Testing

/// What must hold of the naive engine itself, whatever it is given: were both engines wrong alike, this would tell.
@Suite struct InvariantTests {
  @Test(arguments: Mix.all)
  func theBooksAddUpAfterEveryInput(_ mix: Mix) {
    for seed in 0..<4 as Range<UInt64> {
      var source = RandomInputs(mix, seed: seed)
      var engine = NaiveEngine(id: .shard(ShardID(0)))
      var journal = Journalist()
      var output = OutputBuffer()
      for number in 1...6_000 {
        let input = source.next(deadline: engine.nextDeadline)
        journal.apply(input, to: &engine, into: &output)
        guard let wrong = wrong(with: engine) else { continue }
        Issue.record("mix \(mix), seed \(seed), input \(number): \(wrong)\n\(Spoken.line(input))")
        return
      }
      #expect(engine.fillNumber > 100)
    }
  }

  private func wrong(with engine: NaiveEngine) -> String? {
    for (place, account) in engine.accounts.enumerated() {
      let charges =
        engine.orders.filter { $0.account == place }.reduce(0) { $0 + $1.reserved }
        + engine.sweeps.filter { $0.taker.account == place }.reduce(0) { $0 + $1.taker.reserved }
      if charges != account.reserved { return "account \(account.id) reserves \(account.reserved), not \(charges)" }
      if account.used > account.ceiling { return "account \(account.id) uses more than its ceiling" }
    }
    for book in engine.books.indices {
      if engine.positions.filter({ $0.book == book }).reduce(0, { $0 + $1.lots }) != 0 { return "lots are lost" }
      for account in engine.accounts.indices {
        let reducing = engine.orders.filter { $0.isReduceOnly && $0.book == book && $0.account == account }
        let position = engine.position(account, book)
        let closable = max(0, reducing.first?.side == .sell ? position : -position)
        if reducing.reduce(0, { $0 + $1.lots }) > closable { return "reduce-only orders exceed a position" }
      }
      guard engine.books[book].state == .open, !engine.isBlocked(book) else { continue }
      if let bid = engine.best(book, .buy), let ask = engine.best(book, .sell),
        engine.orders[bid].price >= engine.orders[ask].price
      {
        return "book \(book) is crossed"
      }
    }
    let cash = engine.ledgers.filter { $0.currency == .usd }.reduce(0) { $0 + $1.amount }
    if cash != 0 { return "\(cash) USD came from nowhere" }
    let numbers = engine.orders.map(\.number)
    if numbers != numbers.sorted() || Set(numbers).count != numbers.count { return "numbers out of order" }
    if engine.orders.contains(where: { $0.shown <= 0 || $0.hidden < 0 }) { return "an empty order rests" }
    if engine.orders.contains(where: { $0.isAuctionOnly && engine.books[$0.book].state == .open }) {
      return "a market order rests"
    }
    let fired = engine.books.flatMap(\.fired)
    if engine.stops.filter(\.isFired).map(\.arrival).sorted() != fired.sorted() { return "fired stops are lost" }
    let waits = engine.jobs.contains { $0.kind == .queue } || engine.books.indices.contains { engine.isBlocked($0) }
    if !engine.queue.isEmpty && !waits { return "the queue is stuck" }
    return nil
  }
}
