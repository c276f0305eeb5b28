/// Takes the trades of a bare matcher.
protocol TradeSink {
  /// - Parameter isFilled: whether nothing of the maker is left.
  mutating func trade(maker: UInt64, taker: UInt64, lots: UInt32, isFilled: Bool)
}

/// A floor under every matching engine: price-time priority and nothing else. No accounts, no checks, no outputs but a
/// trade's three numbers; orders in a slab, their ids in an open-addressing table, a bare ladder a side.
struct BareMatcher<Sink: TradeSink>: ~Copyable {
  private struct Order {
    var id: UInt64
    var level: UInt32
    var quantity: UInt32
    var next: UInt32
    var previous: UInt32 = 0
    var ladder: UInt32
    var zero: UInt32 = 0
  }
  private struct Entry {
    var id: UInt64 = 0
    var place: UInt32 = 0
  }

  var sink: Sink
  /// An order found no room: what follows is worth nothing.
  private(set) var isFull = false
  private let lowestPrice: Int64
  private let ladders: UnsafeMutablePointer<BareLadder>
  private let ladderCount: Int
  private let orders: UnsafeMutablePointer<Order>
  private var free: UInt32 = 1
  private let table: UnsafeMutablePointer<Entry>

  private static var slots: Int { 1 << 18 }
  private static var mask: Int { slots - 1 }

  /// Books of `instruments`, each for the prices from `lowestPrice` through `highestPrice`; at most 262,143 rest.
  init(instruments: Int, lowestPrice: Int64, highestPrice: Int64, sink: Sink) {
    self.sink = sink
    self.lowestPrice = lowestPrice
    let levels = Int(highestPrice - lowestPrice) + 1
    ladderCount = 2 * instruments
    ladders = .allocate(capacity: ladderCount)
    for place in 0..<ladderCount {
      (ladders + place).initialize(to: BareLadder(levels: levels, isBuy: place & 1 == 0))
    }
    orders = .allocate(capacity: Self.slots)
    for place in 0..<Self.slots {
      let next = place + 1 < Self.slots ? UInt32(place + 1) : 0
      (orders + place).initialize(to: Order(id: 0, level: 0, quantity: 0, next: next, ladder: 0))
    }
    table = .allocate(capacity: Self.slots)
    table.initialize(repeating: Entry(), count: Self.slots)
  }

  deinit {
    for place in 0..<ladderCount { ladders[place].deallocate() }
    ladders.deallocate()
    orders.deallocate()
    table.deallocate()
  }

  @inline(__always) mutating func apply(_ record: StreamRecord) {
    switch record.kind {
    case StreamRecord.Kind.new: place(record, rests: true)
    case StreamRecord.Kind.immediate: place(record, rests: false)
    case StreamRecord.Kind.cancel: _ = remove(record.order)
    case StreamRecord.Kind.replace: if remove(record.order) { place(record, rests: true) }
    default:
      let order = find(record.order)
      if order != 0 { orders[Int(order)].quantity &-= record.quantity }
    }
  }

  @inline(__always) private mutating func place(_ record: StreamRecord, rests: Bool) {
    let own = Int(record.instrument) << 1 | Int(record.side)
    let facing = ladders + (own ^ 1)
    let level = Int(record.price &- lowestPrice)
    var left = record.quantity
    while record.side == 0 ? facing.pointee.best <= level : facing.pointee.best >= level {
      let place = facing.pointee.levels[facing.pointee.best].head
      let maker = orders + Int(place)
      let lots = min(left, maker.pointee.quantity)
      left &-= lots
      maker.pointee.quantity &-= lots
      let isFilled = maker.pointee.quantity == 0
      sink.trade(maker: maker.pointee.id, taker: record.order, lots: lots, isFilled: isFilled)
      if isFilled {
        forget(maker.pointee.id)
        unlink(place)
      }
      if left == 0 { return }
    }
    if !rests { return }
    let place = free
    if place == 0 {
      isFull = true
      return
    }
    let order = orders + Int(place)
    free = order.pointee.next
    let queue = (ladders + own).pointee.levels + level
    let last = queue.pointee.tail
    order.pointee = Order(
      id: record.order, level: UInt32(truncatingIfNeeded: level), quantity: left, next: 0, previous: last,
      ladder: UInt32(truncatingIfNeeded: own))
    queue.pointee.tail = place
    if last != 0 {
      orders[Int(last)].next = place
    } else {
      queue.pointee.head = place
      (ladders + own).pointee.open(level)
    }
    insert(record.order, place)
  }

  @inline(__always) private mutating func remove(_ id: UInt64) -> Bool {
    let place = find(id)
    if place == 0 { return false }
    forget(id)
    unlink(place)
    return true
  }

  @inline(__always) private mutating func unlink(_ place: UInt32) {
    let order = orders + Int(place)
    let (next, previous) = (order.pointee.next, order.pointee.previous)
    let ladder = ladders + Int(order.pointee.ladder)
    let queue = ladder.pointee.levels + Int(order.pointee.level)
    if previous != 0 { orders[Int(previous)].next = next } else { queue.pointee.head = next }
    if next != 0 { orders[Int(next)].previous = previous } else { queue.pointee.tail = previous }
    if queue.pointee.head == 0 { ladder.pointee.close(Int(order.pointee.level)) }
    order.pointee.next = free
    free = place
  }

  // MARK: - Ids

  @inline(__always) private func home(_ id: UInt64) -> Int {
    Int(truncatingIfNeeded: (id &* 0x9E37_79B9_7F4A_7C15) >> (64 - 18))
  }

  @inline(__always) private func find(_ id: UInt64) -> UInt32 {
    var slot = home(id)
    while true {
      if table[slot].id == id { return table[slot].place }
      if table[slot].id == 0 { return 0 }
      slot = (slot &+ 1) & Self.mask
    }
  }

  @inline(__always) private func insert(_ id: UInt64, _ place: UInt32) {
    var slot = home(id)
    while table[slot].id != 0 { slot = (slot &+ 1) & Self.mask }
    table[slot] = Entry(id: id, place: place)
  }

  /// Takes out an id that is there and moves up what it kept from its home.
  @inline(__always) private func forget(_ id: UInt64) {
    var hole = home(id)
    while table[hole].id != id { hole = (hole &+ 1) & Self.mask }
    var slot = hole
    while true {
      slot = (slot &+ 1) & Self.mask
      if table[slot].id == 0 { break }
      if (slot &- home(table[slot].id)) & Self.mask >= (slot &- hole) & Self.mask {
        table[hole] = table[slot]
        hole = slot
      }
    }
    table[hole].id = 0
  }

  // MARK: - Looking

  /// The price that trades first on a side, nil if there is none.
  func best(_ instrument: Int, _ side: UInt8) -> Int64? {
    let best = ladders[instrument << 1 | Int(side)].best
    return best < 0 || best == .max ? nil : Int64(best) + lowestPrice
  }

  /// An order at rest; nil if there is none of that id.
  func order(_ id: UInt64) -> (side: UInt8, price: Int64, quantity: UInt32)? {
    let place = find(id)
    guard place != 0 else { return nil }
    let order = orders[Int(place)]
    return (UInt8(order.ladder & 1), Int64(order.level) + lowestPrice, order.quantity)
  }
}
