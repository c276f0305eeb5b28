import Market

// Operations of every kind, mostly such as a trader would send.
extension RandomInputs {
  mutating func houseOperation() -> Market.Operation {
    var operation = Market.Operation(kind: .tradingState, instrument: instrument())
    if oneIn(5) { operation.instrument = Market.Operation.allInstruments }
    operation.rawType = UInt8([0, 0, 1, 2, 2][pick(5)])
    if operation.rawType == 2 { operation.targetNonce = UInt64(between(1, 400)) }
    if oneIn(12) { operation.rawType = UInt8(pick(5)) }
    if oneIn(6) {
      operation = Market.Operation(kind: .killSwitch, instrument: InstrumentID(0))
      operation.rawType = UInt8(pick(2))
      operation.targetNonce = UInt64(pick(9))
    }
    if oneIn(30) { operation.rawKind = UInt8(pick(14)) }
    return operation
  }

  mutating func instrument() -> InstrumentID {
    if oneIn(60) { return InstrumentID(UInt32(pick(Int(listed) + 2))) }
    return InstrumentID([0, 0, 0, 0, 1, 1, 2, 3, 5][pick(9)])
  }

  mutating func operation(_ account: UInt32) -> Market.Operation {
    let weights = [mix.orders, mix.changes, mix.stops, mix.quotes, mix.settings, mix.states]
    var dice = pick(weights.reduce(0, +))
    var choice = 0
    while dice >= weights[choice] {
      dice -= weights[choice]
      choice += 1
    }
    var operation: Market.Operation
    switch choice {
    case 0: operation = order()
    case 1: operation = change(account)
    case 2: operation = stop()
    case 3: operation = quote()
    default: operation = setting()
    }
    if pick(100) < mix.oddities { twist(&operation) }
    return operation
  }

  private mutating func price(_ instrument: InstrumentID, _ offset: Int64) -> Price {
    let known = Int(instrument.rawValue) < World.instruments.count ? World.instruments[Int(instrument.rawValue)] : nil
    guard let known, known.settlement != .coin else {
      return Price(units: (100 + offset) * 50_000)
    }
    var units = Price(whole: middle).units + offset * known.tickSize.units
    if known.kind == .put { units = Price(whole: 30 + offset).units }
    if !known.tickSteps.isEmpty, !oneIn(12) { units -= units % known.tick(at: Price(units: units)).units }
    return Price(units: units)
  }

  private mutating func quantity(_ instrument: InstrumentID, _ most: Int64 = 12) -> Quantity {
    let known = Int(instrument.rawValue) < World.instruments.count ? World.instruments[Int(instrument.rawValue)] : nil
    return Quantity(units: between(1, most) * (known?.lotSize.units ?? fixedPointScale))
  }

  private mutating func order() -> Market.Operation {
    let instrument = instrument()
    var operation = Market.Operation(
      kind: .new, side: oneIn(2) ? .buy : .sell, instrument: instrument,
      price: price(instrument, between(-mix.spread, mix.spread)), quantity: quantity(instrument))
    operation.selfTradePrevention = UInt8(pick(5))
    if oneIn(4) { operation.label = UInt32(pick(3)) }
    if oneIn(5) { operation.targetNonce = UInt64(pick(8)) }
    if oneIn(8) { operation.flags.insert(.cancelOnDisconnect) }
    if mix.allOrNothing != 0, pick(100) < mix.allOrNothing { return allOrNothing(operation) }
    switch pick(26) {
    case 0, 1: operation.rawTimeInForce = 1
    case 2: operation.rawTimeInForce = 2
    case 3, 4:
      operation.rawTimeInForce = 3
      operation.expiry = UInt32(now.seconds + between(0, 4))
    case 5: operation.rawTimeInForce = 4
    case 6, 7: operation.flags.insert(.postOnly)
    case 8, 9: operation.flags.formUnion([.postOnly, .slide])
    case 10, 11: operation.flags.insert(.reduceOnly)
    case 12, 13, 14:
      operation.rawType = 1
      operation.price = .zero
      if oneIn(3) { operation.flags.insert(.reduceOnly) }
    case 15, 16, 17: operation.displayQuantity = quantity(instrument, 4)
    case 18, 19:
      operation.flags.insert(.minimumQuantity)
      operation.displayQuantity = quantity(instrument, 6)
      operation.rawTimeInForce = UInt8(pick(2))
    case 20: operation.quantity = quantity(instrument, 60)
    default: break
    }
    return operation
  }

  /// Fill or kill, a minimum, or what such orders meet: icebergs and reduce-only orders.
  private mutating func allOrNothing(_ plain: Market.Operation) -> Market.Operation {
    var operation = plain
    switch pick(8) {
    case 0, 1, 2:
      operation.rawTimeInForce = Market.Operation.TimeInForce.fillOrKill.rawValue
      operation.quantity = quantity(operation.instrument, oneIn(2) ? 30 : 12)
      if oneIn(4) { operation.flags.insert(.reduceOnly) }
    case 3, 4:
      operation.flags.insert(.minimumQuantity)
      operation.quantity = quantity(operation.instrument, 30)
      operation.displayQuantity = quantity(operation.instrument, 20)
    case 5: operation.displayQuantity = quantity(operation.instrument, 3)
    default: operation.flags.insert(.reduceOnly)
    }
    return operation
  }

  private mutating func change(_ account: UInt32) -> Market.Operation {
    var operation = order()
    operation.targetNonce = 0
    let own = names.lastIndex { $0.account == account }
    let dice = pick(100)
    if dice < 8 {
      var all = Market.Operation(kind: .cancelAll, instrument: operation.instrument)
      if oneIn(2) { all.instrument = Market.Operation.allInstruments }
      if oneIn(3) { all.rawType = UInt8(pick(6)) }
      if oneIn(4) { all.flags.insert(.byLabel) }
      if oneIn(5) { all.flags.insert(.quote) }
      all.label = UInt32(pick(3))
      return all
    }
    var target = names.isEmpty ? nil : names[pick(names.count)]
    if let own, oneIn(2) { target = names[own] }
    if dice < 45 {
      operation = Market.Operation(kind: .cancel, instrument: operation.instrument)
    } else if dice < 60 {
      let quantity = operation.quantity
      operation = Market.Operation(kind: .amend, instrument: operation.instrument, quantity: quantity)
    } else {
      operation.rawKind = Market.Operation.Kind.replace.rawValue
    }
    if let target {
      operation.targetNonce = target.nonce
      operation.targetIndex = target.index
    }
    if oneIn(6) {
      operation.flags.insert(.byClientID)
      operation.targetNonce = UInt64(pick(8))
      operation.targetIndex = 0
    }
    return operation
  }

  private mutating func stop() -> Market.Operation {
    var operation = order()
    operation.flags.remove([.postOnly, .slide, .minimumQuantity])
    operation.displayQuantity = .zero
    operation.rawType = UInt8(2 + pick(5))
    operation.triggerSource = UInt8(pick(3))
    operation.triggerPrice = price(operation.instrument, between(-mix.spread, mix.spread) / 2)
    if operation.isMarketType {
      operation.price = .zero
      operation.rawTimeInForce = 0
      operation.expiry = 0
    } else if operation.rawTimeInForce != 3 {
      operation.expiry = 0
    }
    if operation.type == .trailingStop { operation.triggerPrice = Price(whole: between(1, 4)) }
    return operation
  }

  private mutating func quote() -> Market.Operation {
    let instrument = instrument()
    let half = between(1, max(1, mix.spread / 2))
    let offset = between(-2, 2)
    var operation = Market.Operation(
      kind: .quote, instrument: instrument, price: price(instrument, offset - half),
      quantity: quantity(instrument, 5), label: UInt32(pick(3)), triggerPrice: price(instrument, offset + half),
      displayQuantity: quantity(instrument, 5))
    operation.selfTradePrevention = UInt8(pick(5))
    switch pick(10) {
    case 0: operation.quantity = .zero
    case 1: operation.displayQuantity = .zero
    case 2: operation.flags = .postOnly
    case 3: operation.flags = [.postOnly, .slide, .cancelOnDisconnect]
    case 4:
      operation.rawTimeInForce = 3
      operation.expiry = UInt32(now.seconds + between(0, 3))
    default: break
    }
    return operation
  }

  private mutating func setting() -> Market.Operation {
    let none = InstrumentID(0)
    switch pick(8) {
    case 0, 1, 2:
      var operation = Market.Operation(kind: .protection, instrument: none)
      if !oneIn(3) { operation.quantity = Quantity(units: between(0, 20) * 10_000_000) }
      if oneIn(3) { operation.price = Price(units: between(0, 90_000_000)) }
      if oneIn(3) { operation.triggerPrice = Price(units: between(0, 40_000)) }
      operation.targetNonce = UInt64(between(0, 800)) | UInt64(oneIn(3) ? 0 : between(1, 600)) << 32
      return operation
    case 3, 4: return Market.Operation(kind: .resetProtection, instrument: none)
    case 5, 6: return Market.Operation(kind: .deadMan, instrument: none, targetNonce: UInt64(between(0, 500)))
    default:
      var operation = Market.Operation(kind: .killSwitch, instrument: none)
      operation.rawType = oneIn(4) ? 1 : 0
      return operation
    }
  }

  /// Puts something into a field that may not be there.
  private mutating func twist(_ operation: inout Market.Operation) {
    for _ in 0...pick(2) {
      switch pick(15) {
      case 0: operation.rawKind = UInt8(pick(15))
      case 1: operation.rawSide = UInt8(pick(3))
      case 2: operation.rawType = UInt8(pick(9))
      case 3: operation.rawTimeInForce = UInt8(pick(7))
      case 4: operation.flags = Market.Operation.Flags(rawValue: 1 << UInt16(pick(9)))
      case 5: operation.selfTradePrevention = UInt8(pick(7))
      case 6: operation.triggerSource = UInt8(pick(5))
      case 7: operation.reserved = UInt16(pick(2))
      case 8: operation.price = Price(units: [0, -1, .max, .min, 25_000_000, 50_000_000][pick(6)])
      case 9: operation.quantity = Quantity(units: [0, -10_000_000, .max, .min, 1, 10_000_000][pick(6)])
      case 10: operation.triggerPrice = Price(units: [0, -1, .max, .min, 50_000_000][pick(5)])
      case 11: operation.displayQuantity = Quantity(units: [0, -1, .max, 10_000_000, 20_000_000][pick(5)])
      case 12: operation.expiry = [0, .max, 1, UInt32(now.seconds + 1)][pick(4)]
      case 13: operation.targetNonce = [0, 1, .max, 3][pick(4)]
      default: operation.targetIndex = [0, 1, 0x8000][pick(3)]
      }
    }
  }
}
