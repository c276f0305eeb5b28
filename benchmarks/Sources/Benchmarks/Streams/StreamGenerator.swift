import Foundation

/// Generates an order stream (`OBSTRM01`) from a seed: the same bytes for the same seed everywhere.
///
/// Every book is first filled with passive orders. Then each operation picks a book (by rank, as Zipf has it), lets its
/// middle wander, and places (45 %), cancels (40 %, a hundredth of them orders long gone), replaces (5 %; of `reduce`,
/// half of them are reductions) or crosses (10 %, half of them immediate or cancel); what a book has too much or too
/// little of turns one into the other.
struct StreamGenerator: ~Copyable {
  /// The streams, each hard for an engine in its own way.
  enum Kind: String, CaseIterable {
    /// One book of 20,000 orders, most of them near the middle.
    case single
    /// 100 books of 50,000 orders in all.
    case multi
    /// One book of 30,000 orders over two million ticks, with long sweeps.
    case hostile
    /// As `single`, with quantities reduced in place.
    case reduce

    var books: Int { self == .multi ? 100 : 1 }
    var target: Double { self == .multi ? 50_000 : self == .hostile ? 30_000 : 20_000 }
    var middle: Int64 { self == .hostile ? 1_500_000 : 30_000 }
    var middles: ClosedRange<Int64> { self == .hostile ? 1_200_000...1_800_000 : 20_000...45_000 }
    /// No price comes near the end of these: the farthest distance from the farthest middle lies inside.
    var highestPrice: Int64 { self == .hostile ? 1 << 22 : 1 << 16 }
  }

  private struct Book {
    var middle: Int64
    var target: UInt32
    /// Orders at rest, in an order that chance may draw from.
    var live: [UInt64] = []
    var recent = Ring(capacity: 1_024)
    var dead = Ring(capacity: 512)
  }

  private struct Filled: TradeSink {
    var makers: [UInt64] = []
    mutating func trade(maker: UInt64, taker: UInt64, lots: UInt32, isFilled: Bool) {
      if isFilled { makers.append(maker) }
    }
  }

  private let kind: Kind
  private var chance: Chance
  private var matcher: BareMatcher<Filled>
  private var books: [Book] = []
  /// Share of all operations that go to this book or one before it.
  private var shares: [Double] = []
  /// Where each order stands in its book's `live`, by id.
  private var places: [UInt32] = [0]
  private var records: [StreamRecord] = []
  private var nextOrder: UInt64 = 1

  private init(_ kind: Kind, seed: UInt64) {
    self.kind = kind
    chance = Chance(seed: seed)
    matcher = BareMatcher(
      instruments: kind.books, lowestPrice: 1, highestPrice: kind.highestPrice, sink: Filled())
    let weights = (1...kind.books).map { 1.0 / Double($0) }
    let total = weights.reduce(0, +)
    var share = 0.0
    for (place, weight) in weights.enumerated() {
      share += weight / total
      shares.append(share)
      books.append(
        Book(
          middle: kind.middle + Int64(place) * 50, target: max(50, UInt32(kind.target * (weight / total)))))
    }
  }

  /// Writes a stream of a warm-up and `operations` records to a file.
  static func write(_ kind: Kind, seed: UInt64, operations: Int, to file: URL) throws {
    var generator = StreamGenerator(kind, seed: seed)
    generator.warmUp()
    let warmUp = generator.records.count
    generator.records.reserveCapacity(warmUp + operations)
    for _ in 0..<operations { generator.step() }
    try generator.stream(seed: seed, warmUp: warmUp).write(to: file)
  }

  private borrowing func stream(seed: UInt64, warmUp: Int) -> Data {
    let prices = records.lazy.map(\.price).filter { $0 > 0 }
    var data = Data("OBSTRM01".utf8)
    func append<T: FixedWidthInteger>(_ value: T) {
      withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
    }
    append(1 as UInt32)
    append(UInt32(MemoryLayout<StreamRecord>.stride))
    append(UInt64(records.count))
    append(UInt64(warmUp))
    append(UInt32(kind.books))
    append(kind == .reduce ? 1 : 0 as UInt32)
    append(seed)
    append(prices.min() ?? 0)
    append(prices.max() ?? 0)
    records.withUnsafeBytes { data.append(contentsOf: $0) }
    return data
  }

  // MARK: - Operations

  private mutating func warmUp() {
    for book in books.indices {
      while books[book].live.count < books[book].target { placePassive(book) }
    }
  }

  private mutating func step() {
    let draw = chance.unit()
    let book = kind.books == 1 ? 0 : min(shares.firstIndex { $0 >= draw } ?? .max, kind.books - 1)
    wander(book)
    let isEmptySide = matcher.best(book, 0) == nil || matcher.best(book, 1) == nil
    let orders = Double(books[book].live.count)
    let target = Double(books[book].target)
    enum Action { case place, cancel, change, cross }
    let wish = chance.unit()
    var action: Action = wish < 0.45 ? .place : wish < 0.85 ? .cancel : wish < 0.90 ? .change : .cross
    if action == .place, orders > target * 1.25 { action = .cancel }
    if action == .cancel || action == .change, orders < target * 0.75 { action = .place }
    if orders < 10 { action = .place }
    if action == .cross, isEmptySide { action = .place }
    switch action {
    case .place: placePassive(book)
    case .cancel: cancel(book)
    case .change: change(book)
    case .cross: cross(book)
    }
  }

  private mutating func wander(_ book: Int) {
    if chance.unit() < 0.02 {
      books[book].middle += kind == .hostile ? chance.range(-200, 200) : chance.coin() ? 1 : -1
    }
    if chance.unit() < 1e-4 {
      books[book].middle += kind == .hostile ? chance.range(-20_000, 20_000) : chance.range(-30, 30)
    }
    books[book].middle = min(max(books[book].middle, kind.middles.lowerBound), kind.middles.upperBound)
  }

  private mutating func placePassive(_ book: Int) {
    let side: UInt8 = chance.coin() ? 1 : 0
    let price = passivePrice(book, side)
    let quantity = UInt32(chance.range(1, 100))
    place(
      StreamRecord(
        StreamRecord.Kind.new, order: newOrder(), instrument: book, side: side, price: price, quantity: quantity))
  }

  private mutating func cancel(_ book: Int) {
    if books[book].dead.count > 0, chance.unit() < 0.01 {
      let order = books[book].dead.element(&chance)
      records.append(
        StreamRecord(
          StreamRecord.Kind.cancel, order: order, instrument: book, side: chance.coin() ? 1 : 0,
          intent: StreamRecord.Intent.stale))
      return
    }
    let order = pick(book)
    let side = matcher.order(order)?.side ?? 0
    let record = StreamRecord(StreamRecord.Kind.cancel, order: order, instrument: book, side: side)
    records.append(record)
    matcher.apply(record)
    drop(book, order)
    books[book].dead.add(order)
  }

  private mutating func change(_ book: Int) {
    let order = pick(book)
    guard let (side, price, quantity) = matcher.order(order) else { return }
    if kind == .reduce, chance.unit() < 0.5, quantity > 1 {
      let record = StreamRecord(
        StreamRecord.Kind.reduce, order: order, instrument: book, side: side,
        quantity: UInt32(chance.range(1, Int64(quantity) - 1)))
      records.append(record)
      matcher.apply(record)
      return
    }
    let how = chance.unit()
    var intent = StreamRecord.Intent.passive
    var wanted = price
    if how < 0.67 {
      wanted = passivePrice(book, side)
    } else if how < 0.87 {
      wanted = behindTheOtherSide(book, side, price + (chance.coin() ? 1 : -1))
    } else if how >= 0.97 {
      wanted = matcher.best(book, side ^ 1) ?? price
      intent = StreamRecord.Intent.aggressive
    }
    let record = StreamRecord(
      StreamRecord.Kind.replace, order: order, instrument: book, side: side, price: max(1, wanted),
      quantity: UInt32(chance.range(1, 100)), intent: intent)
    drop(book, order)
    place(record)
  }

  private mutating func cross(_ book: Int) {
    guard let bid = matcher.best(book, 0), let ask = matcher.best(book, 1) else { return }
    let isHostile = kind == .hostile
    let pull = (Double(books[book].middle) - Double(bid + ask) / 2) / (isHostile ? 2_000 : 8)
    let bias = min(max(pull, -0.9), 0.9)
    let side: UInt8 = chance.unit() < 0.5 + 0.5 * bias ? 0 : 1
    let slip = isHostile ? chance.range(0, 20_000) : chance.range(0, 3)
    let price = max(1, side == 0 ? ask + slip : bid - slip)
    let size = chance.unit()
    let quantity =
      size < 0.95 ? UInt32(chance.range(1, 30)) : isHostile && size > 0.9995 ? 5_000 : UInt32(chance.range(50, 300))
    let isImmediate = chance.coin()
    place(
      StreamRecord(
        isImmediate ? StreamRecord.Kind.immediate : StreamRecord.Kind.new, order: newOrder(), instrument: book,
        side: side, price: price, quantity: quantity, intent: StreamRecord.Intent.aggressive))
  }

  // MARK: - Books

  private mutating func newOrder() -> UInt64 {
    defer { nextOrder += 1 }
    places.append(0)
    return nextOrder
  }

  /// Records an order or a replacement, trades it, and notes what it has left behind.
  private mutating func place(_ record: StreamRecord) {
    precondition(record.price <= kind.highestPrice, "prices stay in reach of their middle")
    let book = Int(record.instrument)
    records.append(record)
    matcher.apply(record)
    for maker in matcher.sink.makers {
      drop(book, maker)
      books[book].dead.add(maker)
    }
    matcher.sink.makers.removeAll(keepingCapacity: true)
    if matcher.order(record.order) != nil {
      places[Int(record.order)] = UInt32(books[book].live.count)
      books[book].live.append(record.order)
      books[book].recent.add(record.order)
    }
  }

  /// Takes an order out of those at rest; the last one takes its place.
  private mutating func drop(_ book: Int, _ order: UInt64) {
    let place = places[Int(order)]
    let last = books[book].live.removeLast()
    if last != order {
      books[book].live[Int(place)] = last
      places[Int(last)] = place
    }
  }

  /// An order at rest: of the latest ones, if four draws find one that still is.
  private mutating func pick(_ book: Int) -> UInt64 {
    if books[book].recent.count > 0, chance.unit() < 0.6 {
      for _ in 0..<4 {
        let order = books[book].recent.element(&chance)
        if matcher.order(order) != nil { return order }
      }
    }
    return books[book].live[Int(chance.below(UInt64(books[book].live.count)))]
  }

  private mutating func distance() -> Int64 {
    let draw = chance.unit()
    if kind == .hostile {
      if draw < 0.2 { return chance.range(0, 3) }
      if draw < 0.6 { return chance.range(0, 999_999) }
      return Int64(exp(chance.unit() * log(1e6))) - 1
    }
    if draw < 0.5 { return chance.range(0, 5) }
    return Int64(-(draw < 0.9 ? 30.0 : 300.0) * log(1 - chance.unit()))
  }

  private mutating func passivePrice(_ book: Int, _ side: UInt8) -> Int64 {
    let distance = distance()
    let middle = books[book].middle
    return max(1, behindTheOtherSide(book, side, side == 0 ? middle - distance : middle + 1 + distance))
  }

  private borrowing func behindTheOtherSide(_ book: Int, _ side: UInt8, _ price: Int64) -> Int64 {
    guard let facing = matcher.best(book, side ^ 1) else { return price }
    return side == 0 ? min(price, facing - 1) : max(price, facing + 1)
  }
}
