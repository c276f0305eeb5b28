import Bytes
import Cluster
import Market
import MatcherNode
import Wire

/// Which of an account's orders a command is about.
public enum OrderTarget: Sendable {
  /// By the action that placed it. Without its instrument it is looked for among the account's orders.
  case name(nonce: UInt64, index: UInt16, instrument: String?)
  /// By the id that the client gave it.
  case clientID(UInt64, instrument: String?)

  /// Reads account/key/nonce/index as orders are printed, or nonce/index.
  public init(reading text: String, account: AccountID, instrument: String?) throws(CommandMistake) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 4 || parts.count == 2, let nonce = UInt64(parts[parts.count - 2]),
      let index = UInt16(parts[parts.count - 1])
    else {
      throw CommandMistake("--order \(text): it must be account/key/nonce/index as novation order prints it")
    }
    if parts.count == 4 {
      guard parts[0] == "\(account)", parts[1] == "0" else {
        throw CommandMistake("--order \(text): not an order that account \(account) has placed with its owner's key")
      }
    }
    self = .name(nonce: nonce, index: index, instrument: instrument)
  }

  /// An order found: its instrument, and what is known of it while it is open.
  struct Found {
    var listed: Instrument
    var resting: OpenOrderText?
  }

  func find(account: AccountID, in session: ClusterSession) throws -> Found {
    let open = try session.openOrders(of: account).map(\.order)
    for order in open {
      if let listed = try session.instrument(InstrumentID(order.instrument)), isMeant(order, listed) {
        return Found(listed: listed, resting: order)
      }
    }
    switch self {
    case .name(_, _, let instrument?), .clientID(_, let instrument?):
      return Found(listed: try session.instrument(named: instrument), resting: nil)
    case .name(let nonce, let index, nil):
      throw CommandRefused("account \(account) has no open order \(nonce)/\(index): filled or cancelled before?")
    case .clientID(let id, nil):
      throw CommandRefused("account \(account) has no open order of client id \(id): filled or cancelled before?")
    }
  }

  private func isMeant(_ order: OpenOrderText, _ listed: Instrument) -> Bool {
    switch self {
    case .name(let nonce, let index, _): order.nonce == nonce && order.index == index
    case .clientID(let id, let instrument):
      order.clientId == id && instrument.map { $0.uppercased() == listed.name.uppercased() } ?? true
    }
  }

  /// Names the order in an operation that changes it.
  func aim(_ operation: inout Market.Operation) {
    switch self {
    case .name(let nonce, let index, _):
      operation.targetNonce = nonce
      operation.targetIndex = index
    case .clientID(let id, _):
      operation.targetNonce = id
      operation.targetIndex = 0
      operation.flags.insert(.byClientID)
    }
  }

  /// As a command's result names it.
  func text(account: AccountID) -> String {
    switch self {
    case .name(let nonce, let index, _): OrderID(account: account, key: .owner, nonce: nonce, index: index).text
    case .clientID(let id, _): "client id \(id)"
    }
  }
}

extension OrderTicket {
  /// An order to put in a resting one's stead: what is not given is as it is open now.
  public init(
    replacing target: OrderTarget, account: AccountID, side: Side?, quantity: Quantity?, price: Price?,
    in session: ClusterSession
  ) throws {
    let found = try target.find(account: account, in: session)
    let resting = found.resting
    guard let side = side ?? resting.map({ $0.side == "buy" ? .buy : .sell }) else {
      throw CommandMistake("--side is missing: the order is not known by its name here")
    }
    guard let quantity = quantity ?? resting.flatMap({ Quantity($0.quantity(in: found.listed)) }) else {
      throw CommandMistake("--quantity is missing: the order is not known by its name here")
    }
    self.init(account: account, instrument: found.listed.name, side: side, quantity: quantity)
    self.price = price ?? resting.flatMap { Price($0.price) }
  }
}

extension ClusterSession {
  /// The account's open orders in every shard.
  func openOrders(of account: AccountID) throws -> [(shard: ShardID, order: OpenOrderText)] {
    try map.shards.flatMap { shard in
      try ask([OpenOrderText].self, .openOrders, .shard(shard), account.encoded).map { (shard, $0) }
    }
  }
}

extension OpenOrderText {
  /// Within its account.
  var name: String { "\(nonce)/\(index)" }

  /// Its open quantity, in an instrument that may be unknown.
  func quantity(in listed: Instrument?) -> String {
    guard let lots else { return quantity ?? "" }
    return listed?.quantity(Lots(lots))?.description ?? "\(lots) lots"
  }
}
