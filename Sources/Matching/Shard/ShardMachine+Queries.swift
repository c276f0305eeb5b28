import Machine
import Market

/// One price level as edges show it.
public struct BookLevel: Sendable, Hashable, BitwiseCopyable {
  public var price: Price
  /// Σ open lots.
  public var lots: Lots
  /// Open orders at the price.
  public var orders: Int
}

/// A book as of one sequence of its deltas.
public struct BookSnapshot: Sendable, Hashable {
  public var instrument: InstrumentID
  /// The last `BookDelta` that is in it; the next one continues it.
  public var sequence: UInt64
  /// Best first.
  public var bids: [BookLevel]
  public var asks: [BookLevel]
}

/// An open order as edges show it.
public struct OpenOrder: Sendable, Hashable {
  public var order: OrderID
  public var instrument: InstrumentID
  public var side: Side
  public var price: Price
  public var lots: Lots
  /// Charge still reserved, USD.
  public var reserved: Money
  public var isReduceOnly: Bool
  /// Unix seconds, 0 for none.
  public var expiry: UInt32
}

/// An account's standing in one shard.
public struct AccountStanding: Sendable, Hashable {
  public var ceiling: Money
  /// U, the cumulative charge.
  public var consumed: Money
  /// Σ charges stored with open orders.
  public var reserved: Money
  public var openOrders: Int
  public var heldOrders: Int
  public var liveNonces: Int
  public var isFrozen: Bool
}

// Read by edges between inputs; never part of what the machine decides.
extension ShardMachine {
  /// The book of a hosted instrument, at most `depth` levels a side; `nil` for any other instrument.
  public borrowing func bookSnapshot(_ instrument: InstrumentID, depth: Int = .max) -> BookSnapshot? {
    let (book, absent) = book(of: instrument)
    if absent != nil { return nil }
    return BookSnapshot(
      instrument: instrument, sequence: books[book].deltas, bids: levels(book, .buy, depth),
      asks: levels(book, .sell, depth))
  }

  private borrowing func levels(_ book: Int, _ side: Side, _ depth: Int) -> [BookLevel] {
    guard let handle = books.side(book, side) else { return [] }
    var levels: [BookLevel] = []
    var rank = handle.best
    while rank >= 0, levels.count < depth {
      var orders = 0
      var slot = handle[UInt32(rank)].first
      while slot != 0 {
        orders += 1
        slot = self.orders[slot].next
      }
      levels.append(
        BookLevel(
          price: Price(units: BookSide.tick(side, UInt32(rank)) &* books[book].contract.tickSize),
          lots: Lots(handle[UInt32(rank)].lots), orders: orders))
      rank = handle.highest(below: UInt32(rank))
    }
    return levels
  }

  /// Orders at a price in their order of priority.
  public borrowing func queue(_ instrument: InstrumentID, _ side: Side, at price: Price) -> [OpenOrder] {
    let (book, absent) = book(of: instrument)
    guard absent == nil, let handle = books.side(book, side), price.units >= 0 else { return [] }
    let tick = price.units / books[book].contract.tickSize
    if tick >= Int64(BookSide.span) { return [] }
    var queue: [OpenOrder] = []
    var slot = handle[BookSide.rank(side, tick)].first
    while slot != 0 {
      queue.append(shown(orders[slot]))
      slot = orders[slot].next
    }
    return queue
  }

  /// The account's open orders, oldest first.
  public borrowing func openOrders(_ account: AccountID) -> [OpenOrder] {
    var open: [OpenOrder] = []
    let known = accountSlot(account)
    var slot = known == 0 ? 0 : accounts[known].newestOrder
    while slot != 0 {
      open.append(shown(orders[slot]))
      slot = orders[slot].older
    }
    return open.reversed()
  }

  /// One open order by its name; `nil` if it is not open here.
  public borrowing func openOrder(_ name: OrderID) -> OpenOrder? {
    let account = accountSlot(name.account)
    let slot = account == 0 ? 0 : openOrder(account, name.key.rawValue, name.nonce, name.index)
    return slot == 0 ? nil : shown(orders[slot])
  }

  private borrowing func shown(_ order: RestingOrder) -> OpenOrder {
    let book = books[Int(order.book)]
    return OpenOrder(
      order: name(of: order), instrument: book.instrument, side: order.side,
      price: Price(units: BookSide.tick(order.side, order.rank) &* book.contract.tickSize), lots: Lots(order.lots),
      reserved: Money(units: order.reserved), isReduceOnly: order.isReduceOnly,
      expiry: order.extra == 0 ? 0 : extras[order.extra].expiry)
  }

  /// Positive long, negative short.
  public borrowing func position(_ account: AccountID, _ instrument: InstrumentID) -> Lots {
    let known = accountSlot(account)
    let (book, absent) = book(of: instrument)
    if known == 0 || absent != nil { return .zero }
    let slot = positionSlot(known, book)
    return slot == 0 ? .zero : Lots(positions[slot].lots)
  }

  /// `nil` for an account that the shard does not know.
  public borrowing func standing(_ account: AccountID) -> AccountStanding? {
    let slot = accountSlot(account)
    if slot == 0 { return nil }
    let account = accounts[slot]
    return AccountStanding(
      ceiling: Money(units: account.ceiling), consumed: Money(units: account.consumed),
      reserved: Money(units: account.reserved), openOrders: Int(account.openOrders),
      heldOrders: Int(account.heldCount), liveNonces: Int(account.liveNonces), isFrozen: account.isFrozen)
  }

  /// Accounts that the shard knows, the house excluded, in order of id.
  public borrowing func accountIDs() -> [AccountID] {
    (1..<max(1, accounts.end)).map { accounts[$0].id }.filter { $0 != .house }.sorted()
  }

  /// Open orders in all books.
  public var orderCount: Int { orders.count }
  /// Accounts known, the house excluded.
  public var accountCount: Int { max(0, accounts.count - 1) }
  /// Nonces that are remembered.
  public var liveNonceCount: Int { nonces.count }
}
