import Bytes
import Market
import MatcherNode
import Wire

/// One instrument's book, with the mark and the band in which orders are taken.
public struct BookReport: CommandReport {
  public struct Level: Encodable, Sendable {
    public var price: String
    public var quantity: String
    public var orders: Int
  }
  /// An order as market data names it.
  public struct Order: Encodable, Sendable {
    public var side: String
    public var price: String
    /// Its public number.
    public var number: UInt64
    /// What it shows.
    public var quantity: String
  }
  public var instrument: String
  public var shard: UInt16
  /// Number of the last book change in it.
  public var sequence: UInt64
  /// Of the whole book as of that change: 16 hexadecimal digits.
  public var checksum: String
  /// Best first.
  public var bids: [Level]
  public var asks: [Level]
  /// Of each side the best first, in priority; absent unless asked for.
  public var orders: [Order]?
  /// The next four are absent while no marks have come.
  public var mark: String?
  public var index: String?
  /// Orders priced outside are refused.
  public var bandLow: String?
  public var bandHigh: String?

  /// Most levels a side.
  public static let maximumDepth = BookText.depth

  /// - Parameter hasOrders: tell the orders of those levels too, from one snapshot with them.
  public init(_ name: String, depth: Int, hasOrders: Bool = false, in session: ClusterSession) throws {
    let listed = try session.instrument(named: name)
    instrument = listed.name
    shard = listed.shard.rawValue
    if hasOrders {
      let copy = try Self.copy(of: listed, in: session)
      func levels(_ side: Side) -> [Level] {
        copy.levels(side, depth: depth).map { level in
          Level(
            price: level.price.description, quantity: listed.quantity(level.lots)?.description ?? "",
            orders: copy.queue(side, at: level.price).count)
        }
      }
      sequence = copy.sequence
      checksum = BookDiscrepancy.text(copy.checksum)
      bids = levels(.buy)
      asks = levels(.sell)
      orders = [Side.buy, .sell].flatMap { side in
        copy.levels(side, depth: depth).flatMap { copy.queue(side, at: $0.price) }
      }.map {
        Order(
          side: "\($0.side)", price: $0.price.description, number: $0.number,
          quantity: listed.quantity($0.lots)?.description ?? "")
      }
    } else {
      let book = try session.ask(BookText.self, .book, .shard(listed.shard), listed.id.encoded)
      func levels(_ levels: [BookText.Level]) -> [Level] {
        levels.prefix(depth).map { level in
          Level(
            price: level.price, quantity: listed.quantity(Lots(level.lots))?.description ?? "", orders: level.orders)
        }
      }
      sequence = book.sequence
      checksum = book.checksum
      bids = levels(book.bids)
      asks = levels(book.asks)
    }
    guard let answer = try? session.ask(.marks, .shard(listed.shard), listed.shard.encoded),
      let marks = try? ShardMarks(decoding: answer),
      let entry = marks.entries.first(where: { $0.instrument == listed.id })
    else { return }
    mark = entry.mark.description
    index = marks.index.description
    bandLow = entry.bandLow.description
    bandHigh = entry.bandHigh.description
  }

  private static func copy(of listed: Instrument, in session: ClusterSession) throws -> BookCopy {
    let answer = try session.ask(.bookOrders, .shard(listed.shard), listed.id.encoded)
    do {
      return try BookCopy(BookImage(decoding: answer))
    } catch {
      throw CommandRefused("shard-\(listed.shard): its snapshot of \(listed.name) is no book: \(error)")
    }
  }

  public var text: String {
    if let orders { return "\(heading)\n\(Self.table(orders))" }
    var table = TextTable(["", "price", "quantity", "orders"])
    for level in asks.reversed() { table.add(["sell", level.price, level.quantity, "\(level.orders)"]) }
    for level in bids { table.add(["buy", level.price, level.quantity, "\(level.orders)"]) }
    return "\(heading)\n\(table.text)\(bids.isEmpty && asks.isEmpty ? "\n(empty)" : "")"
  }

  private var heading: String {
    var first = "\(instrument), shard \(shard), sequence \(sequence), checksum \(checksum)"
    if let mark, let bandLow, let bandHigh { first += ", mark \(mark), orders from \(bandLow) to \(bandHigh)" }
    return first
  }

  private static func table(_ orders: [Order]) -> String {
    var table = TextTable(["", "price", "quantity", "order"])
    for order in orders { table.add([order.side, order.price, order.quantity, "\(order.number)"]) }
    return orders.isEmpty ? "\(table.text)\n(empty)" : table.text
  }
}
