import Bytes
import Machine
import Market

/// Reads one operation's words.
///
/// ```
/// buy 10 @ 100 P ioc|fok|day|gtd=5 post slide reduce cod min=3 show=2 stp=maker label=7 id=9 #name
/// sell 10 market            buy 5 @ 106 stop=105 by=last          sell 5 market trail=3
/// replace #name sell 5 @ 101        amend #name 3        cancel #name        cancel id=9
/// cancelall P|all label=7 quotes scope=3              quote P 5@99 4@101 (or - for an empty side)
/// protect 10 window=1000 freeze=500 delta=3 vega=2    reset    deadman 500    kill    unkill    kill B
/// halt P    auction P 500    open P                   raw=field:value sets a byte or word as it is
/// ```
struct ScenarioOperation {
  let words: [String]
  let names: [(label: String, account: UInt32, nonce: UInt64, index: UInt16)]
  let now: Timestamp
  private(set) var label: String?
  private var operation = Market.Operation(kind: .new, instrument: InstrumentID(0))
  private var place = 1
  private var fee: Money?
  private var session: (UInt64, UInt64)?
  private var headerNonce: UInt64?
  private var expiry: Int64?
  private var forged = false

  init(words: [String], names: [(label: String, account: UInt32, nonce: UInt64, index: UInt16)], now: Timestamp) {
    self.words = words
    self.names = names
    self.now = now
  }

  mutating func read() -> Market.Operation {
    let verb = words[0]
    switch verb {
    case "buy", "sell": order(verb)
    case "replace":
      operation.rawKind = Market.Operation.Kind.replace.rawValue
      aim()
      place += 1
      order(words[place - 1])
    case "amend":
      operation.rawKind = Market.Operation.Kind.amend.rawValue
      aim()
      operation.quantity = lots(next())
    case "cancel":
      operation.rawKind = Market.Operation.Kind.cancel.rawValue
      aim()
    case "cancelall":
      operation.rawKind = Market.Operation.Kind.cancelAll.rawValue
      operation.instrument = instrument(next())
    case "quote":
      operation.rawKind = Market.Operation.Kind.quote.rawValue
      operation.instrument = instrument(next())
      (operation.quantity, operation.price) = side(next())
      (operation.displayQuantity, operation.triggerPrice) = side(next())
    case "protect":
      operation.rawKind = Market.Operation.Kind.protection.rawValue
      operation.quantity = lots(next())
    case "reset": operation.rawKind = Market.Operation.Kind.resetProtection.rawValue
    case "deadman":
      operation.rawKind = Market.Operation.Kind.deadMan.rawValue
      operation.targetNonce = UInt64(next())!
    case "kill", "unkill":
      operation.rawKind = Market.Operation.Kind.killSwitch.rawValue
      operation.rawType = verb == "kill" ? 1 : 0
      if place < words.count, let named = ScenarioMarket.accounts.firstIndex(of: words[place]) {
        operation.targetNonce = UInt64(named)
        place += 1
      }
    case "open", "halt", "auction":
      operation.rawKind = Market.Operation.Kind.tradingState.rawValue
      operation.rawType = ["open": 0, "halt": 1, "auction": 2][verb]!
      operation.instrument = instrument(next())
      if verb == "auction" { operation.targetNonce = UInt64(next())! }
    default: fatalError("no such operation: \(words)")
    }
    while place < words.count { attribute(next()) }
    return operation
  }

  /// What the words say about the action as a whole.
  func adjust(_ header: inout SignedActionHeader) {
    if let fee {
      header.module = .trade
      header.maximumFee = fee
    }
    if let session { (header.session, header.sessionGeneration) = session }
    if let headerNonce { header.nonce = headerNonce }
    if let expiry { header.expiry = UInt64(header.expiry.advanced(by: Int(expiry))) }
    if forged { header.signer = ScenarioMarket.owner(11) }
  }

  private mutating func next() -> String {
    place += 1
    return words[place - 1]
  }
  private func instrument(_ word: String) -> InstrumentID {
    if word == "all" { return Market.Operation.allInstruments }
    if let number = UInt32(word) { return InstrumentID(number) }
    return InstrumentID(UInt32(ScenarioMarket.letters.firstIndex(of: word)!))
  }
  private func lots(_ word: String) -> Quantity { Quantity(word)! }

  private func side(_ word: String) -> (Quantity, Price) {
    if word == "-" { return (.zero, .zero) }
    let parts = word.split(separator: "@").map(String.init)
    return (lots(parts[0]), Price(parts[1])!)
  }

  private mutating func order(_ side: String) {
    operation.rawSide = side == "buy" ? 0 : 1
    operation.quantity = lots(next())
    if next() == "market" {
      operation.rawType = Market.Operation.OrderType.market.rawValue
    } else {
      operation.price = Price(next())!
    }
  }

  /// The order that is meant: `#name` or `id=9`.
  private mutating func aim() {
    let word = next()
    if word.hasPrefix("id=") {
      operation.flags.insert(.byClientID)
      operation.targetNonce = UInt64(word.dropFirst(3))!
    } else if let named = names.last(where: { $0.label == word }) {
      operation.targetNonce = named.nonce
      operation.targetIndex = named.index
    } else {
      operation.targetNonce = 999_999
    }
  }

  private mutating func attribute(_ word: String) {
    let parts = word.split(separator: "=").map(String.init)
    if word.hasPrefix("#") {
      label = word
    } else if parts.count == 1 {
      flag(word)
    } else {
      value(parts[0], parts[1])
    }
  }

  private mutating func flag(_ word: String) {
    switch word {
    case "ioc": operation.rawTimeInForce = 1
    case "fok": operation.rawTimeInForce = 2
    case "day": operation.rawTimeInForce = 4
    case "post": operation.flags.insert(.postOnly)
    case "slide": operation.flags.insert(.slide)
    case "reduce": operation.flags.insert(.reduceOnly)
    case "cod": operation.flags.insert(.cancelOnDisconnect)
    case "quotes": operation.flags.insert(.quote)
    case "forged": forged = true
    default: operation.instrument = instrument(word)
    }
  }

  private mutating func value(_ name: String, _ value: String) {
    let isMarket = operation.rawType == Market.Operation.OrderType.market.rawValue
    switch name {
    case "gtd":
      operation.rawTimeInForce = 3
      operation.expiry = UInt32(now.seconds + Int64(value)!)
    case "min":
      operation.flags.insert(.minimumQuantity)
      operation.displayQuantity = lots(value)
    case "show": operation.displayQuantity = lots(value)
    case "stp": operation.selfTradePrevention = ["taker": 1, "maker": 2, "both": 3, "decrement": 4][value]!
    case "label":
      operation.label = UInt32(value)!
      if operation.kind == .cancelAll { operation.flags.insert(.byLabel) }
    case "scope": operation.rawType = UInt8(value)!
    case "id": operation.targetNonce = UInt64(value)!
    case "stop", "take", "trail":
      let types: [String: Market.Operation.OrderType] = [
        "stop": isMarket ? .stopMarket : .stopLimit, "take": isMarket ? .takeProfitMarket : .takeProfitLimit,
        "trail": .trailingStop,
      ]
      operation.rawType = types[name]!.rawValue
      operation.triggerPrice = Price(value)!
    case "by": operation.triggerSource = ["mark": 0, "index": 1, "last": 2][value]!
    case "window": operation.targetNonce |= UInt64(value)!
    case "freeze": operation.targetNonce |= UInt64(value)! << 32
    case "delta": operation.price = Price(value)!
    case "vega": operation.triggerPrice = Price(value)!
    case "fee": fee = Money(value)!
    case "session":
      let parts = value.split(separator: ".").map { UInt64($0)! }
      session = (parts[0], parts[1])
    case "nonce": headerNonce = UInt64(value)!
    case "expires": expiry = Int64(value)! - 60
    case "raw": raw(value)
    default: fatalError("no such word: \(name)")
    }
  }

  private mutating func raw(_ word: String) {
    let parts = word.split(separator: ":").map(String.init)
    let value = Int64(parts[1])!
    switch parts[0] {
    case "kind": operation.rawKind = UInt8(value)
    case "side": operation.rawSide = UInt8(value)
    case "type": operation.rawType = UInt8(value)
    case "force": operation.rawTimeInForce = UInt8(value)
    case "flags": operation.flags = Market.Operation.Flags(rawValue: UInt16(value))
    case "stp": operation.selfTradePrevention = UInt8(value)
    case "source": operation.triggerSource = UInt8(value)
    case "reserved": operation.reserved = UInt16(value)
    case "index": operation.targetIndex = UInt16(value)
    case "nonce": operation.targetNonce = UInt64(value)
    case "price": operation.price = Price(units: value)
    case "quantity": operation.quantity = Quantity(units: value)
    case "trigger": operation.triggerPrice = Price(units: value)
    case "display": operation.displayQuantity = Quantity(units: value)
    case "expiry": operation.expiry = UInt32(value)
    default: fatalError("no such field: \(parts[0])")
    }
  }
}
