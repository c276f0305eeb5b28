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
  public var instrument: String
  public var shard: UInt16
  /// Number of the last book change in it.
  public var sequence: UInt64
  /// Best first.
  public var bids: [Level]
  public var asks: [Level]
  /// The next four are absent while no marks have come.
  public var mark: String?
  public var index: String?
  /// Orders priced outside are refused.
  public var bandLow: String?
  public var bandHigh: String?

  /// Most levels a side.
  public static let maximumDepth = BookText.depth

  public init(_ name: String, depth: Int, in session: ClusterSession) throws {
    let listed = try session.instrument(named: name)
    let book = try session.ask(BookText.self, .book, .shard(listed.shard), listed.id.encoded)
    func levels(_ levels: [BookText.Level]) -> [Level] {
      levels.prefix(depth).map { Level(price: $0.price, quantity: $0.quantity, orders: $0.orders) }
    }
    instrument = listed.name
    shard = listed.shard.rawValue
    sequence = book.sequence
    bids = levels(book.bids)
    asks = levels(book.asks)
    guard let answer = try? session.ask(.marks, .shard(listed.shard), listed.shard.encoded),
      let marks = try? ShardMarks(decoding: answer),
      let entry = marks.entries.first(where: { $0.instrument == listed.id })
    else { return }
    mark = entry.mark.description
    index = marks.index.description
    bandLow = entry.bandLow.description
    bandHigh = entry.bandHigh.description
  }

  public var text: String {
    var table = TextTable(["", "price", "quantity", "orders"])
    for level in asks.reversed() { table.add(["sell", level.price, level.quantity, "\(level.orders)"]) }
    for level in bids { table.add(["buy", level.price, level.quantity, "\(level.orders)"]) }
    var first = "\(instrument), shard \(shard), sequence \(sequence)"
    if let mark, let bandLow, let bandHigh { first += ", mark \(mark), orders from \(bandLow) to \(bandHigh)" }
    return "\(first)\n\(table.text)\(bids.isEmpty && asks.isEmpty ? "\n(empty)" : "")"
  }
}
