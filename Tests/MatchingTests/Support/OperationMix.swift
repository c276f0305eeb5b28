import Market

/// Random plain operations.
struct OperationMix {
  var random: Seeded
  var accounts: UInt32
  var instruments: [InstrumentID]
  /// Ticks around the middle at which orders are priced.
  var spread: Int64
  private var recent: [OrderID] = []

  init(seed: UInt64, accounts: UInt32, instruments: [InstrumentID], spread: Int64) {
    random = Seeded(seed)
    self.accounts = accounts
    self.instruments = instruments
    self.spread = spread
  }

  mutating func next(nonce: UInt64, market: MarketDefinition) -> (OrderID, Market.Operation) {
    let account = UInt32.random(in: 1...accounts, using: &random)
    var name = OrderID(account: AccountID(account), key: .owner, nonce: nonce, index: 0)
    let instrument = market[instruments.randomElement(using: &random)!]!
    let middle = Price(whole: 1_000).units / instrument.tickSize.units
    var operation = Market.Operation(
      kind: .new, side: .random(using: &random) ? .buy : .sell, instrument: instrument.id,
      price: Price(units: (middle + .random(in: -spread...spread, using: &random)) * instrument.tickSize.units),
      quantity: Quantity(units: .random(in: 1...20, using: &random) * instrument.lotSize.units))
    let dice = Int.random(in: 0..<100, using: &random)
    if dice < 45 || recent.isEmpty {
      switch Int.random(in: 0..<20, using: &random) {
      case 0...2: operation.rawTimeInForce = Market.Operation.TimeInForce.immediateOrCancel.rawValue
      case 3, 4: operation.rawTimeInForce = Market.Operation.TimeInForce.fillOrKill.rawValue
      case 5, 6: operation.flags = .postOnly
      case 7, 8: operation.flags = .reduceOnly
      case 9:
        operation.rawType = Market.Operation.OrderType.market.rawValue
        operation.price = .zero
      default: break
      }
      recent.append(name)
      if recent.count > 400 { recent.removeFirst(200) }
      return (name, operation)
    }
    if dice < 99 {
      let target = recent.randomElement(using: &random)!
      name.account = target.account
      operation.targetNonce = target.nonce
      operation.rawKind =
        (dice < 75 ? Market.Operation.Kind.cancel : dice < 88 ? .replace : .amend).rawValue
      if operation.kind == .replace, .random(in: 0..<8, using: &random) == 0 { operation.flags = .reduceOnly }
    } else {
      operation.rawKind = Market.Operation.Kind.cancelAll.rawValue
    }
    return (name, operation)
  }
}
