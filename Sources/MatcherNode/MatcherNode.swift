import Bytes
import Cluster
import Foundation
import Logging
import Machine
import Market
import Matching
import Messaging
import Synchronization
import Wire

/// Wires a shard's machine to its sockets. It holds no rule of its own.
public enum MatcherNode {
  #if NOVATION_PLANT
    /// Bugs of a test build for the hosts made from now on.
    public static let faults = Mutex<ShardFaults>([])
  #endif

  public static func host(
    _ id: MachineID, on loop: SocketLoop, map: ClusterMap, node: String, market: MarketDefinition,
    transport: Transport, authority: NodeAuthority?,
    configuration: HostConfiguration, log: Logger
  ) throws -> MachineHost<ShardMachine> {
    try MachineHost(
      id, role: role(id, map: map, market: market), on: loop, map: map, node: node, genesis: market,
      transport: transport, authority: authority, configuration: configuration, log: log)
  }

  /// What a shard adds to the common host.
  public static func role(_ id: MachineID, map: ClusterMap, market: MarketDefinition) -> HostRole<ShardMachine> {
    var role = HostRole<ShardMachine>(
      sources: [.risk, .settlement],
      admits: [.submit: .gateway, .marks: .marks, .sessionEnd: .gateway, .heartbeat: .gateway],
      sessions: SessionWatch.Times(
        silence: Int64(map.settings.gatewaySilenceMilliseconds) * 1_000_000,
        linger: market.parameters.heldOrderTimeout.nanoseconds + 500_000_000),
      figures: { machine in
        (
          [
            "orders": Int64(clamping: machine.acceptedOperations), "fills": Int64(clamping: machine.fillNumber),
            "open": Int64(machine.orderCount), "accounts": Int64(machine.accountCount),
            "liveNonces": Int64(machine.liveNonceCount),
          ], [:]
        )
      },
      answer: { machine, query in
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        switch query.kind {
        case .book:
          let instrument = try InstrumentID(decoding: query.body)
          guard let snapshot = machine.bookSnapshot(instrument, depth: BookText.depth) else {
            throw UnlistedHere(instrument: instrument, machine: id)
          }
          return HostAnswer([UInt8](try encoder.encode(BookText(snapshot))))
        case .bookLevels:
          let instrument = try InstrumentID(decoding: query.body)
          guard let image = machine.levelsImage(of: instrument) else {
            throw UnlistedHere(instrument: instrument, machine: id)
          }
          return HostAnswer(image.encoded)
        case .bookOrders:
          let instrument = try InstrumentID(decoding: query.body)
          guard let image = machine.ordersImage(of: instrument) else {
            throw UnlistedHere(instrument: instrument, machine: id)
          }
          return HostAnswer(image.encoded)
        case .openOrders:
          let account = try AccountID(decoding: query.body)
          let orders =
            machine.openOrders(account).map { OpenOrderText($0) }
            + machine.waitingOrders(account).compactMap { OpenOrderText($0) }
          return HostAnswer([UInt8](try encoder.encode(orders)))
        case .standing:
          let account = try AccountID(decoding: query.body)
          guard let standing = machine.standing(account) else { throw UnknownHere(account: account, machine: id) }
          return HostAnswer([UInt8](try encoder.encode(StandingText(standing))))
        default: throw UnansweredQuery(machine: id, kind: query.kind)
        }
      })
    #if NOVATION_PLANT
      role.plant = { machine in machine.faults = faults.withLock { $0 } }
    #endif
    return role
  }
}

/// One instrument's book as JSON, best prices first; prices are decimal text. Whoever asks knows the instrument.
public struct BookText: Codable, Sendable {
  /// Levels a side that an answer holds.
  public static let depth = 50

  public struct Level: Codable, Sendable {
    public var price: String
    public var lots: Int64
    public var orders: Int
  }
  /// Number of the last book change that this snapshot holds.
  public var sequence: UInt64
  /// Of the whole book as of that change: 16 hexadecimal digits.
  public var checksum: String
  public var bids: [Level]
  public var asks: [Level]

  init(_ snapshot: BookSnapshot) {
    func level(_ level: BookLevel) -> Level {
      Level(price: level.price.description, lots: level.lots.count, orders: level.orders)
    }
    sequence = snapshot.sequence
    self.checksum = BookDiscrepancy.text(snapshot.checksum)
    bids = snapshot.bids.map(level)
    asks = snapshot.asks.map(level)
  }
}

/// One open order as JSON, resting or not.
public struct OpenOrderText: Codable, Sendable {
  /// `resting`, `armed`, `held`, `queued` or `sweeping`.
  public var state: String
  public var nonce: UInt64
  public var index: UInt16
  /// Its number in the market.
  public var instrument: UInt32
  public var side: String
  public var price: String
  /// Open lots; absent for an order that waits, which has the quantity that was signed.
  public var lots: Int64?
  public var quantity: String?
  public var isReduceOnly: Bool
  public var isQuote: Bool
  /// Of a stop that is armed.
  public var triggerPrice: String?
  /// Zero for none.
  public var clientId: UInt64
  public var label: UInt32

  init(_ order: OpenOrder) {
    state = Outcome.resting.name
    nonce = order.order.nonce
    index = order.order.index
    instrument = order.instrument.rawValue
    side = "\(order.side)"
    price = order.price.description
    lots = order.lots.count
    isReduceOnly = order.isReduceOnly
    isQuote = order.isQuote
    clientId = order.clientID
    label = order.label
  }

  /// `nil` for an operation that waits and is no order: a cancel or a quote behind others.
  init?(_ waiting: WaitingOrder) {
    let operation = waiting.operation
    guard operation.kind == .new || operation.kind == .replace, let side = operation.side else { return nil }
    state = waiting.state.name
    nonce = waiting.order.nonce
    index = waiting.order.index
    instrument = operation.instrument.rawValue
    self.side = "\(side)"
    price = operation.price.description
    quantity = operation.quantity.description
    isReduceOnly = operation.flags.contains(.reduceOnly)
    isQuote = false
    triggerPrice = operation.triggerPrice == .zero ? nil : operation.triggerPrice.description
    clientId = operation.kind == .new ? operation.targetNonce : 0
    label = operation.label
  }
}

/// What keeps an account from trading in one shard, as JSON.
public struct StandingText: Codable, Sendable {
  /// It is being liquidated.
  public var isFrozen: Bool
  /// Its kill switch is on.
  public var isKilled: Bool
  /// Nanoseconds since 1970 until which its quotes are refused; absent for an account whose protection never tripped,
  /// the greatest number where that lasts until a reset.
  public var quotesRefusedUntil: Int64?
  /// Absent without market-maker protection.
  public var protection: ProtectionText?

  init(_ standing: AccountStanding) {
    isFrozen = standing.isFrozen
    isKilled = standing.isKilled
    quotesRefusedUntil = standing.quotesFrozenUntil == .zero ? nil : standing.quotesFrozenUntil.nanoseconds
    protection = standing.protection.map(ProtectionText.init)
  }
}

/// Market-maker protection in one shard, as JSON: decimals in coins, vega in USD a volatility point.
public struct ProtectionText: Codable, Sendable {
  /// Limits of the whole underlying; absent for none.
  public var quantityLimit: String?
  public var deltaLimit: String?
  public var vegaLimit: String?
  /// What the account's quotes have traded here in the window; delta and vega net.
  public var quantity: String
  public var delta: String
  public var vega: String
  public var windowMilliseconds: Int64
  /// Zero: until reset.
  public var freezeMilliseconds: Int64
  /// Shards that the limits are shared among.
  public var shards: Int64

  init(_ standing: ProtectionStanding) {
    func limit(_ value: Int64) -> String? { value == 0 ? nil : Price(units: value).description }
    quantityLimit = limit(standing.quantityLimit)
    deltaLimit = limit(standing.deltaLimit)
    vegaLimit = limit(standing.vegaLimit)
    quantity = Quantity(units: standing.quantity).description
    delta = Price(units: standing.delta).description
    vega = Price(units: standing.vega).description
    windowMilliseconds = standing.window.nanoseconds / 1_000_000
    freezeMilliseconds = standing.freeze.nanoseconds / 1_000_000
    shards = standing.shards
  }
}

/// An account that no credit has made known to the shard.
struct UnknownHere: Error, CustomStringConvertible {
  var account: AccountID
  var machine: MachineID
  var description: String { "account \(account) is not known in \(machine)" }
}

/// An instrument that another shard holds, or none.
struct UnlistedHere: Error, CustomStringConvertible {
  var instrument: InstrumentID
  var machine: MachineID
  var description: String { "instrument \(instrument) is not in \(machine)" }
}
