import Bytes
import Cluster
import Foundation
import Market
import Wire

/// Follows one instrument's book: a snapshot, then every change, each held against the copy's own sequence and
/// checksum. A copy that is not the exchange's book any more ends it.
public struct BookFollow: CommandReport {
  /// Something that happened, as it is printed: a line for people, or one JSON object.
  public struct Event: CommandReport, Sendable {
    /// `l1`, `trade` or `state`.
    public var event: String
    public var sequence: UInt64
    /// L1 after the change; absent where a side is empty.
    public var bid: String?
    public var bidQuantity: String?
    public var ask: String?
    public var askQuantity: String?
    /// Of a trade: its price and quantity, and who took.
    public var price: String?
    public var quantity: String?
    public var taker: String?
    /// `open`, `halted`, `auction` or `uncrossing`; with price and quantity what an auction comes to.
    public var state: String?

    public var text: String {
      switch event {
      case "trade": "\(sequence)  trade \(quantity ?? "") at \(price ?? ""), \(taker ?? "") takes"
      case "state":
        "\(sequence)  \(state ?? "")" + (price.map { ", \(quantity ?? "") would trade at \($0)" } ?? "")
      default:
        "\(sequence)  bid \(bid ?? "-") \(bidQuantity.map { "(\($0))" } ?? "")  "
          + "ask \(ask ?? "-") \(askQuantity.map { "(\($0))" } ?? "")"
      }
    }
  }

  public var instrument: String
  /// Where the copy began and ended.
  public var firstSequence: UInt64
  public var sequence: UInt64
  public var checksum: String
  public var deltas: Int
  public var trades: Int
  /// False where the copy cannot be shown to be the book; `reason` says why.
  public var isProven: Bool
  public var reason: String?

  public var isGood: Bool { isProven }

  public var text: String {
    "\(instrument): \(deltas) changes from \(firstSequence) to \(sequence), \(trades) trades, checksum \(checksum), "
      + (isProven ? "every one proven" : "NOT PROVEN: \(reason ?? "")")
  }

  /// The gateway asks shards for their books a moment after the first client does.
  private static let settleSeconds = 0.3
  private static let snapshots = 10

  /// - Parameters:
  ///   - isByOrders: keep the copy order by order, not by levels.
  ///   - seconds: how long; without it until `shouldStop`.
  public init(
    _ name: String, isByOrders: Bool, seconds: Double?, in session: ClusterSession,
    shouldStop: () -> Bool = { Interruption.wasRequested }, say: (Event) -> Void
  ) throws {
    let listed = try session.instrument(named: name)
    let gateway = try session.gateway()
    var incoming: [(delta: BookDelta?, status: InstrumentStatus?)] = []
    func gather(_ waitMicroseconds: Int) {
      gateway.poll(waitMicroseconds: waitMicroseconds) { event in
        switch event {
        case .book(let delta) where delta.instrument == listed.id: incoming.append((delta, nil))
        case .status(let status) where status.instrument == listed.id: incoming.append((nil, status))
        default: break
        }
      }
    }
    gateway.subscribe(FeedSubscription(wantsReports: false, wantsBooks: true))
    let settled = Date().addingTimeInterval(Self.settleSeconds)
    while Date() < settled { gather(20_000) }

    var copy = try FollowedBook(listed, isByOrders: isByOrders, in: session)
    var snapshots = 1
    instrument = listed.name
    firstSequence = copy.sequence
    deltas = 0
    trades = 0
    isProven = true
    if let event = copy.changeOfBest() { say(event) }
    let end = seconds.map { Date().addingTimeInterval($0) } ?? .distantFuture
    following: while Date() < end, !shouldStop() {
      gather(20_000)
      let taken = incoming
      incoming.removeAll()
      for (delta, status) in taken {
        if let status { say(copy.event(of: status)) }
        // What came before the snapshot is in it.
        guard let delta, deltas > 0 || delta.sequence > copy.sequence else { continue }
        do throws(BookDiscrepancy) {
          let trade = try copy.apply(delta)
          deltas += 1
          if let trade {
            trades += 1
            say(trade)
          }
          if let event = copy.changeOfBest() { say(event) }
        } catch {
          // The shard may have begun to tell its changes only after the first snapshot.
          if case .gap = error, deltas == 0, snapshots < Self.snapshots {
            snapshots += 1
            copy = try FollowedBook(listed, isByOrders: isByOrders, in: session)
            firstSequence = copy.sequence
            continue
          }
          isProven = false
          reason = "\(error)"
          break following
        }
      }
    }
    gateway.subscribe(FeedSubscription(wantsReports: false, wantsBooks: false))
    sequence = copy.sequence
    checksum = BookDiscrepancy.text(copy.checksum)
  }
}

/// A copy that is followed, by levels or order by order, and what of its changes is worth a word.
struct FollowedBook {
  private let listed: Instrument
  /// One of the two.
  private var levels: LevelBookCopy?
  private var orders: BookCopy?
  private var told: (bid: BookLevelImage?, ask: BookLevelImage?)?

  init(_ listed: Instrument, isByOrders: Bool, in session: ClusterSession) throws {
    let answer = try session.ask(isByOrders ? .bookOrders : .bookLevels, .shard(listed.shard), listed.id.encoded)
    do {
      try self.init(listed, isByOrders: isByOrders, snapshot: answer)
    } catch {
      throw CommandRefused("shard-\(listed.shard): its snapshot of \(listed.name) is no book: \(error)")
    }
  }

  init(_ listed: Instrument, isByOrders: Bool, snapshot: [UInt8]) throws {
    self.listed = listed
    if isByOrders {
      orders = try BookCopy(BookImage(decoding: snapshot))
    } else {
      levels = try LevelBookCopy(BookLevelsImage(decoding: snapshot))
    }
  }

  var sequence: UInt64 { levels?.sequence ?? orders?.sequence ?? 0 }
  var checksum: UInt64 { levels?.checksum ?? orders?.checksum ?? 0 }
  private func best(_ side: Side) -> BookLevelImage? { levels.map { $0.best(side) } ?? orders?.best(side) }
  private func lots(_ side: Side, at price: Price) -> Lots {
    levels?.lots(side, at: price) ?? orders?.lots(side, at: price) ?? .zero
  }

  /// Takes the next delta; what it traded, if it did.
  mutating func apply(_ delta: BookDelta) throws(BookDiscrepancy) -> BookFollow.Event? {
    let before = lots(delta.side, at: delta.price)
    try levels?.apply(delta)
    try orders?.apply(delta)
    guard delta.event == .traded else { return nil }
    var event = BookFollow.Event(event: "trade", sequence: delta.sequence)
    event.price = delta.price.description
    event.quantity = quantity(before - delta.lots)
    event.taker = "\(delta.side.opposite)"
    return event
  }

  /// L1 if it is another one than was told last.
  mutating func changeOfBest() -> BookFollow.Event? {
    let (bid, ask) = (best(.buy), best(.sell))
    if let told, told.bid == bid, told.ask == ask { return nil }
    told = (bid, ask)
    var event = BookFollow.Event(event: "l1", sequence: sequence)
    event.bid = bid?.price.description
    event.bidQuantity = bid.map { quantity($0.lots) }
    event.ask = ask?.price.description
    event.askQuantity = ask.map { quantity($0.lots) }
    return event
  }

  func event(of status: InstrumentStatus) -> BookFollow.Event {
    var event = BookFollow.Event(event: "state", sequence: status.sequence)
    event.state = "\(status.state)"
    if status.price != .zero || status.volume != .zero {
      event.price = status.price.description
      event.quantity = quantity(status.volume)
    }
    return event
  }

  private func quantity(_ lots: Lots) -> String { listed.quantity(lots)?.description ?? "\(lots) lots" }
}
