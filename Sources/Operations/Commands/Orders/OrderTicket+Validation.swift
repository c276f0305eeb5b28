import Market

/// What of an order goes together, as the shard's rules have it.
extension OrderTicket {
  /// Refuses what contradicts itself.
  public func validate() throws(CommandMistake) {
    try validatePrice()
    try validateTrigger()
    try validateValidity()
    try validatePosting()
    try validateSizes()
    if label == 0 { throw CommandMistake("--label 0: labels are from 1 on; leave it out for none") }
    if clientID == 0 { throw CommandMistake("--client-id 0: client ids are from 1 on; leave it out for none") }
  }

  private func validatePrice() throws(CommandMistake) {
    if kind.hasLimit, price == nil {
      throw CommandMistake("--price is missing: a \(kind.rawValue) order needs one; or give a market type")
    }
    if !kind.hasLimit, let price {
      throw CommandMistake("--price \(price): a \(kind.rawValue) order has none; leave it out")
    }
  }

  private func validateTrigger() throws(CommandMistake) {
    if !kind.isStop {
      for (option, isGiven) in [
        ("--trigger-price", triggerPrice != nil), ("--trigger", trigger != nil), ("--trail", trail != nil),
      ] where isGiven {
        throw CommandMistake("\(option): a \(kind.rawValue) order waits for no trigger; give a stop as --type")
      }
      return
    }
    if kind == .trailingStop {
      if let triggerPrice {
        throw CommandMistake("--trigger-price \(triggerPrice): a trailing stop has --trail, the distance, instead")
      }
      guard let trail else { throw CommandMistake("--trail is missing: a trailing stop needs its distance") }
      if trail <= .zero { throw CommandMistake("--trail \(trail): the distance must be positive") }
      return
    }
    if let trail { throw CommandMistake("--trail \(trail): only --type trailing-stop has one") }
    guard let triggerPrice else {
      throw CommandMistake("--trigger-price is missing: a \(kind.rawValue) order needs one")
    }
    if triggerPrice <= .zero { throw CommandMistake("--trigger-price \(triggerPrice): it must be positive") }
  }

  private func validateValidity() throws(CommandMistake) {
    if kind == .market, validity == .day || validity == .gtd {
      throw CommandMistake("--tif \(validity.rawValue): a market order never rests; use ioc or fok")
    }
    if validity == .gtd, expiresSeconds == nil {
      throw CommandMistake("--expires is missing: --tif gtd needs the order's life in seconds")
    }
    if let expiresSeconds, validity != .gtd {
      throw CommandMistake("--expires \(expiresSeconds): only an order with --tif gtd has one")
    }
  }

  private var isImmediate: Bool { validity == .ioc || validity == .fok }

  private func validatePosting() throws(CommandMistake) {
    if isPostOnly, kind == .market || isImmediate {
      let other = kind == .market ? "--type market" : "--tif \(validity.rawValue)"
      throw CommandMistake("--post-only and \(other): a post-only order only rests, the other never does; choose one")
    }
    if isPostOnly, kind.isStop {
      throw CommandMistake("--post-only and --type \(kind.rawValue): a stop that is triggered may take; leave it out")
    }
    if isSliding, !isPostOnly { throw CommandMistake("--slide: only an order with --post-only slides; add that") }
  }

  private func validateSizes() throws(CommandMistake) {
    if display != nil, minimum != nil {
      throw CommandMistake("--display and --minimum: an order has one or the other")
    }
    if let display {
      guard kind == .limit, !isImmediate else {
        let other = isImmediate ? "--tif \(validity.rawValue)" : "--type \(kind.rawValue)"
        throw CommandMistake("--display \(display) and \(other): only a limit order that may rest is an iceberg")
      }
      if isReduceOnly { throw CommandMistake("--display \(display) and --reduce-only: choose one") }
    }
    if let minimum {
      if kind.isStop { throw CommandMistake("--minimum \(minimum) and --type \(kind.rawValue): a stop has none") }
      if validity == .fok { throw CommandMistake("--minimum \(minimum) and --tif fok: fok is the whole; choose one") }
      if isPostOnly {
        throw CommandMistake("--minimum \(minimum) and --post-only: a post-only order fills nothing at once")
      }
    }
  }
}

/// Ticks and lots, with a refusal that names the nearest that would do.
extension Instrument {
  func check(_ price: Price, _ option: String) throws(CommandMistake) {
    let lowest = Price(units: settlement == .inverse ? tickSize.units : 0)
    guard price >= lowest else { throw CommandMistake("\(option) \(price): the lowest of \(name) is \(lowest)") }
    let tick = tick(at: price)
    let below = price.units / tick.units * tick.units
    guard price.units != below else { return }
    let (above, overflow) = below.addingReportingOverflow(tick.units)
    let near = overflow ? "\(Price(units: below))" : "\(Price(units: below)) and \(Price(units: above))"
    throw CommandMistake(
      "\(option) \(price): off the tick; \(name) trades in ticks of \(tick) there, the nearest are \(near)")
  }

  func check(_ quantity: Quantity, _ option: String) throws(CommandMistake) {
    let least = self.quantity(minimumOrder) ?? lotSize
    let most = self.quantity(maximumOrder) ?? Quantity(units: .max)
    guard quantity >= least, quantity <= most else {
      throw CommandMistake("\(option) \(quantity): an order on \(name) is of \(least) to \(most)")
    }
    try checkLots(quantity, option)
  }

  /// A part of an order: whole lots, not more than the order.
  func checkPart(_ part: Quantity, of quantity: Quantity, _ option: String) throws(CommandMistake) {
    guard part.units > 0, part <= quantity else {
      throw CommandMistake("\(option) \(part): it must be of \(lotSize) to the order's quantity, \(quantity)")
    }
    try checkLots(part, option)
  }

  private func checkLots(_ quantity: Quantity, _ option: String) throws(CommandMistake) {
    let below = quantity.units / lotSize.units * lotSize.units
    guard quantity.units != below else { return }
    let (above, overflow) = below.addingReportingOverflow(lotSize.units)
    let near = [below, overflow ? 0 : above].filter { $0 > 0 }.map { "\(Quantity(units: $0))" }
    throw CommandMistake(
      "\(option) \(quantity): not whole lots; \(name) trades in lots of \(lotSize), the nearest "
        + (near.count == 1 ? "is \(near[0])" : "are \(near.joined(separator: " and "))"))
  }
}
