import Bytes
import Machine
import Market
import Matching

/// The one book of a LOBSTER recording. Account 1 holds the orders that rest, account 2 sends the orders that cross.
struct LobsterBook: ~Copyable {
  private static let instrument = InstrumentID(0)
  private static let resting: UInt32 = 1
  private static let crossing: UInt32 = 2

  private var shard: LoneShard
  private var encoded = ByteWriter()
  private var nonce: UInt64 = 0
  /// Name of each recorded order that rests, by its recorded number.
  private var known: [UInt64: UInt64] = [:]
  /// The anonymous order at a price: what rested there before the recording showed it.
  private var anonymous: [Side: [Int64: UInt64]] = [.buy: [:], .sell: [:]]

  init(_ files: borrowing LobsterFiles) throws(ReplayError) {
    let prices = files.rows.flatMap { ($0.bids + $0.asks).map(\.price) }
    // A recording whose prices all lie on whole cents is played in cents.
    let submitted = files.messages.filter { $0.kind == .submission || $0.kind == .execution }.map(\.price)
    let tickSize: Int64 = (prices + submitted).allSatisfy { $0 % 100 == 0 } ? 100 : 1
    guard (prices + submitted).allSatisfy({ $0 > 0 && $0 / tickSize < 1 << 22 }) else {
      throw ReplayError("a price beyond \(1 << 22) ticks of \(tickSize) ten-thousandths of a dollar")
    }
    shard = LoneShard(RecordedMarket(instruments: 1, accounts: 2, tickSize: tickSize, mark: prices.first ?? 1))
  }

  // MARK: - Inputs

  private mutating func act(_ account: UInt32, _ operation: Market.Operation) -> UInt64 {
    nonce += 1
    encoded.clear()
    shard.encode(operation, account: account, nonce: nonce, into: &encoded)
    shard.output.clear()
    shard.apply(actions: encoded.bytes)
    return nonce
  }

  private mutating func rest(_ side: Side, _ price: Int64, _ lots: Int64) -> UInt64 {
    act(
      Self.resting,
      Market.Operation(
        kind: .new, side: side, instrument: Self.instrument, price: Price(units: price),
        quantity: Quantity(units: lots)))
  }

  private mutating func cancel(_ name: UInt64) {
    _ = act(Self.resting, Market.Operation(kind: .cancel, instrument: Self.instrument, targetNonce: name))
  }

  private borrowing func open(_ name: UInt64) -> Int64 {
    let order = OrderID(account: AccountID(Self.resting), key: .owner, nonce: name, index: 0)
    return shard.machine.openOrder(order)?.lots.count ?? 0
  }

  /// Takes `lots` off an order: an amendment, or a cancel when nothing is left.
  private mutating func reduce(_ name: UInt64, by lots: Int64) {
    let left = open(name) - lots
    if left <= 0 { return cancel(name) }
    _ = act(
      Self.resting,
      Market.Operation(
        kind: .amend, instrument: Self.instrument, quantity: Quantity(units: left), targetNonce: name))
  }

  mutating func apply(_ message: LobsterMessage) {
    switch message.kind {
    case .submission: known[message.order] = rest(message.side, message.price, message.lots)
    case .reduction, .deletion:
      if let name = known[message.order], open(name) > 0 {
        if message.kind == .deletion { known[message.order] = nil }
        reduce(name, by: message.lots)
      } else if let name = anonymous[message.side]?[message.price] {
        reduce(name, by: message.lots)
      }
    case .execution:
      _ = act(
        Self.crossing,
        Market.Operation(
          kind: .new, side: message.side.opposite, timeInForce: .immediateOrCancel, instrument: Self.instrument,
          price: Price(units: message.price), quantity: Quantity(units: message.lots)))
    case .hiddenExecution, .cross, .halt: break
    }
  }

  mutating func seed(_ row: LobsterRow) {
    for side in Side.allCases {
      for level in row.levels(side) {
        let name = rest(side, level.price, level.lots)
        anonymous[side]?[level.price] = name
      }
    }
  }

  /// Empties the book and begins anew with what a row shows.
  mutating func restart(from row: LobsterRow) {
    _ = act(Self.resting, Market.Operation(kind: .cancelAll, instrument: Self.instrument))
    known.removeAll(keepingCapacity: true)
    anonymous = [.buy: [:], .sell: [:]]
    seed(row)
  }

  // MARK: - Comparison

  private borrowing func levels(_ side: Side) -> [LobsterRow.Level] {
    guard let book = shard.machine.bookSnapshot(Self.instrument) else { return [] }
    return (side == .buy ? book.bids : book.asks).map { LobsterRow.Level(price: $0.price.units, lots: $0.lots.count) }
  }

  /// Whether the recorded row is what the book shows, followed only by levels that the row before could not show.
  borrowing func agrees(with row: LobsterRow, after before: LobsterRow, depth: Int) -> Bool {
    Side.allCases.allSatisfy { side in
      let mine = levels(side)
      let recorded = row.levels(side)
      if !recorded.prefix(mine.count).elementsEqual(mine.prefix(depth)) { return false }
      let worst = before.levels(side).last?.price
      let wasFull = before.levels(side).count == depth
      return recorded.dropFirst(mine.count).allSatisfy { revealed in
        guard wasFull, let worst else { return false }
        return side == .buy ? revealed.price < worst : revealed.price > worst
      }
    }
  }

  /// Takes in levels that the row reveals and drops those that left its window.
  mutating func follow(_ row: LobsterRow) {
    for side in Side.allCases {
      let recorded = row.levels(side)
      let mine = levels(side)
      for level in recorded where !mine.contains(where: { $0.price == level.price }) {
        let name = rest(side, level.price, level.lots)
        anonymous[side]?[level.price] = name
      }
      for level in mine where !recorded.contains(where: { $0.price == level.price }) {
        for order in shard.machine.queue(Self.instrument, side, at: Price(units: level.price)) {
          cancel(order.order.nonce)
        }
        anonymous[side]?[level.price] = nil
      }
    }
  }
}
