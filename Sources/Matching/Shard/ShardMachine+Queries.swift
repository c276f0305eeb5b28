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
  /// That delta's checksum.
  public var checksum: UInt64
  /// Best first.
  public var bids: [BookLevel]
  public var asks: [BookLevel]
}

/// A book order by order as of one sequence of its deltas.
public struct BookOrders: Sendable, Hashable {
  public struct Order: Sendable, Hashable, BitwiseCopyable {
    public var side: Side
    public var price: Price
    /// Its public number, see `BookDelta`.
    public var number: UInt64
    /// Lots that it shows.
    public var lots: Lots
  }
  public var instrument: InstrumentID
  /// The last `BookDelta` that is in it; the next one continues it.
  public var sequence: UInt64
  /// That delta's checksum.
  public var checksum: UInt64
  /// Bids, then asks: best first, each level in priority.
  public var orders: [Order]
}

/// An open order as edges show it.
public struct OpenOrder: Sendable, Hashable {
  public var order: OrderID
  public var instrument: InstrumentID
  public var side: Side
  public var price: Price
  /// Open lots, shown and hidden.
  public var lots: Lots
  public var hidden: Lots
  /// Charge still reserved, USD.
  public var reserved: Money
  public var isReduceOnly: Bool
  public var isQuote: Bool
  /// Unix seconds, 0 for none.
  public var expiry: UInt32
  public var label: UInt32
  public var clientID: UInt64
}

/// An order that does not rest yet as edges show it.
public struct WaitingOrder: Sendable, Hashable {
  /// `held`, `armed`, `queued` or `sweeping`.
  public var state: Outcome
  public var order: OrderID
  public var operation: Operation
  /// Charge reserved, USD: only of an order that is still trading.
  public var reserved: Money
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
  public var armedStops: Int
  public var isFrozen: Bool
  public var isKilled: Bool
  /// Quotes are refused until then.
  public var quotesFrozenUntil: Timestamp
  /// `nil` without market-maker protection.
  public var protection: ProtectionStanding?
}

// Read by edges between inputs; never part of what the machine decides.
extension ShardMachine {
  /// The book of a hosted instrument, at most `depth` levels a side; `nil` for any other instrument.
  public borrowing func bookSnapshot(_ instrument: InstrumentID, depth: Int = .max) -> BookSnapshot? {
    let (book, absent) = book(of: instrument)
    if absent != nil { return nil }
    return BookSnapshot(
      instrument: instrument, sequence: books[book].deltas, checksum: books[book].checksum,
      bids: levels(book, .buy, depth), asks: levels(book, .sell, depth))
  }

  /// The book of a hosted instrument, order by order; `nil` for any other instrument.
  public borrowing func orderBook(_ instrument: InstrumentID) -> BookOrders? {
    let (book, absent) = book(of: instrument)
    if absent != nil { return nil }
    var listed: [BookOrders.Order] = []
    for side in Side.allCases {
      let handle = books.side(book, side)
      var rank = handle.pointee.best
      while rank >= 0 {
        let price = Price(units: BookSide.tick(side, UInt32(rank)) &* books[book].contract.tickSize)
        var slot = handle.pointee.level(UInt32(rank)).pointee.first
        while slot != 0 {
          let order = orders[slot]
          listed.append(
            BookOrders.Order(side: side, price: price, number: order.number, lots: Lots(order.lots)))
          slot = order.next
        }
        rank = handle.pointee.highest(below: UInt32(rank))
      }
    }
    return BookOrders(
      instrument: instrument, sequence: books[book].deltas, checksum: books[book].checksum, orders: listed)
  }

  /// The trading state of a hosted instrument; `nil` for any other.
  public borrowing func tradingState(_ instrument: InstrumentID) -> TradingState? {
    let (book, absent) = book(of: instrument)
    return absent == nil ? books[book].state : nil
  }

  /// The account's orders that wait: for credit, for a trigger, for others to finish, or to finish themselves.
  public borrowing func waitingOrders(_ account: AccountID) -> [WaitingOrder] {
    let known = accountSlot(account)
    if known == 0 { return [] }
    var waiting: [WaitingOrder] = []
    func add(_ state: Outcome, _ deferral: Deferral, reserved: Int64 = 0) {
      waiting.append(
        WaitingOrder(
          state: state,
          order: OrderID(
            account: account, key: KeyID(deferral.origin.key), nonce: deferral.nameNonce, index: deferral.nameIndex),
          operation: deferral.operation, reserved: Money(units: reserved)))
    }
    var slot = accounts[known].firstHeld
    while slot != 0 {
      add(.held, held[slot].deferral)
      slot = held[slot].next
    }
    slot = accounts[known].newestStop
    while slot != 0 {
      add(.armed, stops[slot].deferral)
      slot = stops[slot].older
    }
    slot = accounts[known].firstQueued
    while slot != 0 {
      add(.queued, queue[slot].deferral)
      slot = queue[slot].nextOwn
    }
    for slot in sweepSlots where sweeps[slot].taker.accountSlot == known {
      add(.sweeping, sweeps[slot].deferral, reserved: sweeps[slot].taker.reserved)
    }
    return waiting
  }

  private borrowing func levels(_ book: Int, _ side: Side, _ depth: Int) -> [BookLevel] {
    let handle = books.side(book, side)
    var levels: [BookLevel] = []
    var rank = handle.pointee.best
    while rank >= 0, levels.count < depth {
      var orders = 0
      var slot = handle.pointee.level(UInt32(rank)).pointee.first
      while slot != 0 {
        orders += 1
        slot = self.orders[slot].next
      }
      levels.append(
        BookLevel(
          price: Price(units: BookSide.tick(side, UInt32(rank)) &* books[book].contract.tickSize),
          lots: Lots(handle.pointee.lots(UInt32(rank))), orders: orders))
      rank = handle.pointee.highest(below: UInt32(rank))
    }
    return levels
  }

  /// Orders at a price in their order of priority.
  public borrowing func queue(_ instrument: InstrumentID, _ side: Side, at price: Price) -> [OpenOrder] {
    let (book, absent) = book(of: instrument)
    if absent != nil || price.units < 0 || !books.side(book, side).pointee.isMapped { return [] }
    let tick = price.units / books[book].contract.tickSize
    if tick >= Int64(BookSide.span) { return [] }
    var queue: [OpenOrder] = []
    var slot = books.side(book, side).pointee.level(BookSide.rank(side, tick)).pointee.first
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
    let extra = order.extra == 0 ? OrderExtra() : extras[order.extra]
    return OpenOrder(
      order: name(of: order), instrument: book.instrument, side: order.side,
      price: Price(units: BookSide.tick(order.side, order.rank) &* book.contract.tickSize), lots: Lots(openLots(order)),
      hidden: Lots(extra.hidden), reserved: Money(units: order.reserved), isReduceOnly: order.isReduceOnly,
      isQuote: order.isQuote, expiry: extra.expiry, label: extra.label, clientID: extra.clientID)
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
      heldOrders: Int(account.heldCount), liveNonces: Int(account.liveNonces),
      armedStops: Int(account.armedStops), isFrozen: account.isFrozen, isKilled: account.isKilled,
      quotesFrozenUntil: account.quotesFrozenUntil,
      protection: account.protection == 0 ? nil : protectionStanding(account.protection))
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
