import Market
import Testing

/// A book kept as plainly as possible, which tells its changes as a shard does.
private struct ToldBook {
  private(set) var orders: [BookOrder] = []
  private(set) var deltas: [BookDelta] = []
  private var next: UInt64 = 1
  private var random: UInt64

  init(seed: UInt64) { random = seed }

  private var checksum: UInt64 {
    orders.reduce(0) { $0 &+ UInt64($1.lots.count) &* BookDelta.weight(of: $1.side, $1.price) }
  }
  func lots(_ side: Side, _ price: Price) -> Lots {
    orders.reduce(.zero) { $1.side == side && $1.price == price ? $0 + $1.lots : $0 }
  }
  /// Best first, at a price in order of arrival.
  func queue(_ side: Side) -> [BookOrder] {
    orders.filter { $0.side == side }.enumerated().sorted { a, b in
      if a.element.price == b.element.price { return a.offset < b.offset }
      return side == .buy ? a.element.price > b.element.price : a.element.price < b.element.price
    }.map(\.element)
  }
  var image: BookImage {
    BookImage(
      instrument: InstrumentID(7), sequence: UInt64(deltas.count), checksum: checksum,
      orders: queue(.sell) + queue(.buy))
  }
  var levels: BookLevelsImage {
    var seen: [BookLevelImage] = []
    for order in queue(.buy) + queue(.sell) where seen.last?.price != order.price || seen.last?.side != order.side {
      seen.append(BookLevelImage(side: order.side, price: order.price, lots: lots(order.side, order.price)))
    }
    return BookLevelsImage(
      instrument: InstrumentID(7), sequence: UInt64(deltas.count), checksum: checksum, levels: seen)
  }

  private mutating func below(_ bound: Int) -> Int {
    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((random >> 33) % UInt64(bound))
  }
  private mutating func tell(_ event: BookDelta.Event, _ order: BookOrder, _ lots: Lots) {
    deltas.append(
      BookDelta(
        instrument: InstrumentID(7), event: event, side: order.side, price: order.price,
        lots: self.lots(order.side, order.price), order: order.number, orderLots: lots,
        sequence: UInt64(deltas.count) + 1, checksum: checksum))
  }

  mutating func change() {
    let draw = below(10)
    if draw < 5 || orders.isEmpty {
      let side: Side = below(2) == 0 ? .buy : .sell
      let price = Price(units: Int64(side == .buy ? 90 : 110) + Int64(below(9)) - 4)
      let order = BookOrder(side: side, price: price, number: next, lots: Lots(Int64(2 + below(9))))
      next += 1
      orders.append(order)
      tell(.added, order, order.lots)
    } else if draw < 7 {
      let order = orders.remove(at: below(orders.count))
      tell(.removed, order, .zero)
    } else {
      let first = queue(below(2) == 0 ? .buy : .sell).first
      let chosen = draw == 7 ? orders[below(orders.count)] : first ?? orders[0]
      let isTrade = draw > 7 && first != nil
      guard let place = orders.firstIndex(where: { $0.number == chosen.number }), isTrade || chosen.lots > Lots(1)
      else { return }
      let left = Lots(Int64(below(Int(chosen.lots.count))))
      let lots = isTrade ? left : max(left, Lots(1))
      orders[place].lots = lots
      if lots == .zero { orders.remove(at: place) }
      tell(isTrade ? .traded : .reduced, chosen, lots)
    }
  }

  mutating func change(_ count: Int) { for _ in 0..<count { change() } }
}

struct BookCopyTests {
  private let empty = BookImage(instrument: InstrumentID(7), sequence: 0, checksum: 0, orders: [])

  @Test(arguments: [1, 2, 3] as [UInt64]) func aCopyThatFollowsIsTheBook(_ seed: UInt64) throws {
    var book = ToldBook(seed: seed)
    var copy = try BookCopy(empty)
    var levels = try LevelBookCopy(book.levels)
    for _ in 0..<3_000 {
      let told = book.deltas.count
      book.change()
      guard book.deltas.count > told else { continue }
      try copy.apply(book.deltas[told])
      try levels.apply(book.deltas[told])
      #expect(copy.orderCount == book.orders.count)
    }
    #expect(book.deltas.count > 2_000)
    #expect(copy.levelImage == book.levels)
    for side in [Side.buy, .sell] {
      #expect(copy.levels(side).flatMap { copy.queue(side, at: $0.price) } == book.queue(side))
      #expect(levels.levels(side) == copy.levels(side))
      #expect(copy.levels(side, depth: 2) == Array(copy.levels(side).prefix(2)))
      #expect(levels.best(side) == copy.levels(side).first && copy.best(side) == copy.levels(side).first)
    }
    #expect(levels.checksum == copy.checksum && copy.checksum == book.image.checksum)
  }

  @Test func aSnapshotInTheMiddleIsContinued() throws {
    var book = ToldBook(seed: 4)
    book.change(500)
    var copy = try BookCopy(book.image)
    var levels = try LevelBookCopy(book.levels)
    #expect(copy.image.orders == book.queue(.buy) + book.queue(.sell))
    let told = book.deltas.count
    book.change(500)
    for delta in book.deltas[told...] {
      try copy.apply(delta)
      try levels.apply(delta)
    }
    #expect(copy.levelImage == book.levels)
    #expect(try BookCopy(copy.image).image == copy.image)
  }

  /// Feeds the copies of `book` at 300 its later deltas as `spoil` leaves them; what each copy says.
  private func spoiled(
    seed: UInt64 = 5, _ spoil: (inout [BookDelta]) -> Void
  ) throws -> (orders: BookDiscrepancy?, levels: BookDiscrepancy?) {
    var book = ToldBook(seed: seed)
    book.change(300)
    var copy = try BookCopy(book.image)
    var levels = try LevelBookCopy(book.levels)
    let told = book.deltas.count
    book.change(300)
    var deltas = Array(book.deltas[told...])
    spoil(&deltas)
    var found: (orders: BookDiscrepancy?, levels: BookDiscrepancy?)
    for delta in deltas {
      do throws(BookDiscrepancy) { if found.orders == nil { try copy.apply(delta) } } catch { found.orders = error }
      do throws(BookDiscrepancy) { if found.levels == nil { try levels.apply(delta) } } catch { found.levels = error }
    }
    return found
  }

  @Test func aSkippedDeltaIsNoticed() throws {
    for place in 0..<100 {
      let found = try spoiled { $0.remove(at: place) }
      guard case .gap(let expected, let told) = found.orders else { Issue.record("\(place): \(found)"); return }
      #expect(told == expected + 1 && found.levels == found.orders)
    }
    #expect("\(BookDiscrepancy.gap(expected: 3, told: 9))".contains("deltas 3 to 8 are missing"))
  }

  @Test func aRepeatedDeltaIsNoticed() throws {
    for place in 0..<100 {
      let found = try spoiled { $0.insert($0[place], at: place) }
      guard case .repeated(let last, let told) = found.orders else { Issue.record("\(place): \(found)"); return }
      #expect(told == last && found.levels == found.orders)
    }
  }

  @Test func deltasInAnotherOrderAreNoticed() throws {
    for place in 0..<100 {
      let found = try spoiled { $0.swapAt(place, place + 1) }
      #expect(found.orders != nil && found.levels == found.orders)
    }
  }

  @Test func anyAlteredNumberIsNoticedAtOnce() throws {
    let flaws: [(String, isInLevels: Bool, (inout BookDelta) -> Void)] = [
      ("instrument", true, { $0.instrument = InstrumentID(8) }),
      ("side", true, { $0.side = $0.side.opposite }),
      ("price", true, { $0.price = Price(units: $0.price.units + 1) }),
      ("level lots", true, { $0.lots = $0.lots + Lots(1) }),
      ("fewer level lots", true, { $0.lots = $0.lots - Lots(1) }),
      ("order lots", false, { $0.orderLots = $0.orderLots + Lots(1) }),
      ("sequence", true, { $0.sequence += 1 }),
      ("checksum", true, { $0.checksum ^= 1 << 63 }),
    ]
    for (name, isInLevels, flaw) in flaws {
      for place in stride(from: 0, to: 200, by: 3) {
        let found = try spoiled {
          flaw(&$0[place])
          $0.removeSubrange((place + 1)...)
        }
        #expect(found.orders != nil, "\(name) at \(place)")
        if isInLevels { #expect(found.levels != nil, "\(name) at \(place), by levels") }
      }
    }
  }

  @Test func aNumberGivenToTwoOrdersOrToNoneIsNoticed() throws {
    let twice = try spoiled { deltas in
      let place = deltas.firstIndex { $0.event == .added } ?? 0
      var again = deltas[place]
      again.sequence += 1
      deltas.insert(again, at: place + 1)
    }
    guard case .orderTwice = twice.orders else { Issue.record("\(twice)"); return }
    let unknown = try spoiled { deltas in
      let place = deltas.firstIndex { $0.event == .removed } ?? 0
      deltas[place].order = 1 << 60
    }
    #expect(unknown.orders == .unknownOrder(1 << 60) && unknown.levels == nil)
  }

  @Test func whoTradesOutOfTurnIsNoticed() throws {
    let price = Price(units: 90)
    let weight = BookDelta.weight(of: .buy, price)
    let orders = [1, 2].map { BookOrder(side: .buy, price: price, number: $0, lots: Lots(4)) }
    var copy = try BookCopy(
      BookImage(instrument: InstrumentID(7), sequence: 2, checksum: 8 &* weight, orders: orders))
    let later = BookDelta(
      instrument: InstrumentID(7), event: .traded, side: .buy, price: price, lots: Lots(5), order: 2,
      orderLots: Lots(1),
      sequence: 3, checksum: 5 &* weight)
    #expect(throws: BookDiscrepancy.outOfTurn(2, first: 1)) { try copy.apply(later) }
  }

  @Test func aSnapshotThatContradictsItselfIsRefused() throws {
    var book = ToldBook(seed: 6)
    book.change(200)
    let sound = book.image
    let levels = book.levels
    #expect(throws: Never.self) { try BookCopy(sound) }
    var image = sound
    image.checksum ^= 1
    #expect(throws: BookDiscrepancy.checksumDiffers(own: sound.checksum, told: image.checksum)) { try BookCopy(image) }
    image = sound
    image.orders.removeLast()
    #expect(throws: BookDiscrepancy.self) { try BookCopy(image) }
    image = sound
    image.orders.append(image.orders[0])
    #expect(throws: BookDiscrepancy.self) { try BookCopy(image) }
    image = sound
    image.orders.swapAt(0, book.queue(.sell).count - 1)
    #expect(throws: BookDiscrepancy.self) { try BookCopy(image) }
    image.orders[0].lots = .zero
    #expect(throws: BookDiscrepancy.self) { try BookCopy(image) }
    var flawed = levels
    flawed.levels[0].lots = flawed.levels[0].lots + Lots(1)
    #expect(throws: BookDiscrepancy.self) { try LevelBookCopy(flawed) }
    flawed = levels
    flawed.levels.append(flawed.levels[0])
    #expect(throws: BookDiscrepancy.self) { try LevelBookCopy(flawed) }
  }
}
