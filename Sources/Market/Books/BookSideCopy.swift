/// The levels of one side of a book's copy, the best last, so that what changes most moves least.
struct BookSideCopy: Sendable {
  struct Level: Sendable {
    var price: Price
    var lots: Lots
    /// First and last order in the copy's pool; zero where orders are not kept.
    var first: UInt32 = 0
    var last: UInt32 = 0
    var orders = 0
  }

  let side: Side
  private(set) var levels: [Level] = []

  init(_ side: Side) { self.side = side }

  subscript(place: Int) -> Level {
    get { levels[place] }
    _modify { yield &levels[place] }
  }
  var best: Level? { levels.last }
  mutating func remove(at place: Int) { levels.remove(at: place) }

  /// Where the price stands; `nil` if nothing is shown there.
  func place(of price: Price) -> Int? {
    let place = insertionPlace(of: price)
    return place < levels.count && levels[place].price == price ? place : nil
  }

  /// Σ displayed lots at a price; zero where there are none.
  func lots(at price: Price) -> Lots { place(of: price).map { levels[$0].lots } ?? .zero }

  /// At most `depth` levels, the best first.
  func images(_ depth: Int) -> [BookLevelImage] {
    levels.reversed().prefix(max(0, depth)).map { BookLevelImage(side: side, price: $0.price, lots: $0.lots) }
  }

  /// Where the price stands, a level made for it if there was none.
  mutating func openPlace(of price: Price) -> Int {
    let place = insertionPlace(of: price)
    if place == levels.count || levels[place].price != price {
      levels.insert(Level(price: price, lots: .zero), at: place)
    }
    return place
  }

  private func insertionPlace(of price: Price) -> Int {
    var low = 0
    var high = levels.count
    while low < high {
      let middle = (low + high) / 2
      let isBehind = side == .buy ? levels[middle].price < price : levels[middle].price > price
      if isBehind { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
