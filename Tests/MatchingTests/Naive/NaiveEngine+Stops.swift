import Machine
import Market

// Stops, take-profits, trailing stops.
extension NaiveEngine {
  /// What a source says now, if it has said anything.
  private func value(_ source: Market.Operation.TriggerSource, _ book: Int) -> Int64? {
    switch source {
    case .mark: books[book].marksVersion == 0 ? nil : books[book].mark
    case .index: marksVersion == 0 ? nil : index
    case .last: books[book].last
    }
  }

  private func isMet(_ stop: NaiveStop, _ value: Int64) -> Bool {
    guard let trigger = stop.trigger else { return false }
    return stop.waitsForRise ? value >= trigger : value <= trigger
  }

  /// Moves a trailing stop's trigger along with the value.
  private static func follow(_ stop: inout NaiveStop, _ value: Int64) {
    let distance = stop.waitsForRise ? stop.distance : -stop.distance
    let moved = Int64(clamping: Int128(value) + Int128(distance))
    guard let trigger = stop.trigger else {
      stop.trigger = moved
      return
    }
    stop.trigger = stop.waitsForRise ? min(trigger, moved) : max(trigger, moved)
  }

  /// Arms a stop that has passed its checks, or places its order there and then.
  mutating func arm(
    _ ticket: NaiveTicket, _ candidate: NaiveCandidate, into output: inout OutputBuffer
  ) -> NaiveAnswer {
    let operation = ticket.operation
    let source = Market.Operation.TriggerSource(rawValue: operation.triggerSource) ?? .mark
    let takesProfit = operation.type == .takeProfitLimit || operation.type == .takeProfitMarket
    let isTrailing = operation.type == .trailingStop
    let trigger = operation.triggerPrice.units
    var stop = NaiveStop(
      ticket: ticket, book: candidate.book, side: candidate.side, arrival: 0, lots: candidate.lots,
      expiry: candidate.expiry, source: source, distance: isTrailing ? trigger : 0,
      trigger: isTrailing ? nil : trigger, waitsForRise: (candidate.side == .buy) != takesProfit)
    if let value = value(source, candidate.book) {
      if isTrailing {
        Self.follow(&stop, value)
      } else if isMet(stop, value) {
        var triggered = ticket
        triggered.isTriggered = true
        return place(triggered, .fresh, into: &output)
      }
    }
    arrivals += 1
    stop.arrival = arrivals
    stops.append(stop)
    return NaiveAnswer(outcome: .armed)
  }

  /// Lets the book's trailing stops follow these sources and fires every stop whose trigger is met.
  mutating func lookAtSources(_ book: Int, _ sources: [Market.Operation.TriggerSource]) {
    if books[book].state == .halted { return }
    for source in sources {
      guard let value = value(source, book) else { continue }
      let waiting = stops.indices.filter { stops[$0].book == book && stops[$0].source == source && !stops[$0].isFired }
      for place in waiting where stops[place].isTrailing { Self.follow(&stops[place], value) }
      for (waitsForRise, isTrailing) in [(true, false), (true, true), (false, false), (false, true)] {
        let met = waiting.filter {
          let stop = stops[$0]
          return stop.waitsForRise == waitsForRise && stop.isTrailing == isTrailing && isMet(stop, value)
        }.sorted {
          let (a, b) = (stops[$0], stops[$1])
          let (first, second) = (a.trigger ?? 0, b.trigger ?? 0)
          if first == second { return a.arrival < b.arrival }
          return waitsForRise ? first < second : first > second
        }
        for place in met {
          stops[place].isFired = true
          books[book].fired.append(stops[place].arrival)
        }
      }
    }
    if !books[book].fired.isEmpty, !jobs.contains(where: { $0.kind == .firedStops && $0.book == book }) {
      start(NaiveJob(kind: .firedStops, book: book))
    }
  }

  /// Looks at the last prices of the books that have traded.
  mutating func lookAtLastPrices() {
    for book in books.indices where books[book].hasTraded {
      books[book].hasTraded = false
      lookAtSources(book, [.last])
    }
  }

  /// Takes up the book's fired stops one by one; true when none is left.
  mutating func takeUpStops(_ book: Int, into output: inout OutputBuffer) -> Bool {
    while budget > 0, !isBlocked(book), let arrival = books[book].fired.first {
      budget -= 1
      books[book].fired.removeFirst()
      guard let place = stops.firstIndex(where: { $0.arrival == arrival }) else { continue }
      let stop = stops.remove(at: place)
      let instrument = books[book].instrument.id
      report(
        .triggered, stop.ticket.account, name(of: stop), instrument, .armed, remaining: stop.lots, into: &output)
      var ticket = stop.ticket
      ticket.isTriggered = true
      let answer = self.place(ticket, .fresh, into: &output)
      conclude(ticket, name(of: stop), answer, into: &output)
    }
    return books[book].fired.isEmpty
  }

  /// Ends an armed or fired stop.
  mutating func removeStop(_ place: Int, because outcome: Outcome, into output: inout OutputBuffer) {
    let stop = stops.remove(at: place)
    books[stop.book].fired.removeAll { $0 == stop.arrival }
    report(
      .ended, stop.ticket.account, name(of: stop), books[stop.book].instrument.id, outcome, into: &output)
  }
}
