import Market

/// Terms of orders by their name, first come first served: an order that is replaced again and again has the same name
/// each time.
struct PlacedTerms {
  private var queues: [OrderID: [OrderTerms]] = [:]

  var isEmpty: Bool { queues.isEmpty }

  /// The terms in force under a name; those behind them come later.
  subscript(order: OrderID) -> OrderTerms? { queues[order]?.first }

  mutating func append(_ order: OrderID, _ terms: OrderTerms) { queues[order, default: []].append(terms) }

  /// Takes the terms in force away; the next ones of the name are in force then.
  @discardableResult mutating func takeFirst(_ order: OrderID) -> OrderTerms? {
    guard let first = queues[order]?.first else { return nil }
    queues[order]?.removeFirst()
    if queues[order]?.isEmpty ?? false { queues[order] = nil }
    return first
  }

  /// Leaves the terms in force at most so many lots.
  mutating func limitLots(_ order: OrderID, _ lots: Int64) {
    if let open = self[order]?.lots { queues[order]?[0].lots = min(open, lots) }
  }

  mutating func removeAll() { queues.removeAll(keepingCapacity: true) }

  /// The one order that fits; `nil` where several do, or none.
  func only(where fits: (OrderTerms) -> Bool) -> OrderID? {
    var found: OrderID?
    for (order, queue) in queues where queue.first.map(fits) ?? false {
      if found != nil { return nil }
      found = order
    }
    return found
  }
}
