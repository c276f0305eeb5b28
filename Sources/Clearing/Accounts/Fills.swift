import Market

extension RiskMachine {
  /// Whether a position of so many lots stays inside the limits.
  static func isWithinLimits(_ lots: Int64, of instrument: borrowing Instrument) -> Bool {
    guard let quantity = instrument.quantity(Lots(lots)) else { return false }
    return quantity.units.magnitude <= UInt64(RiskLimits.amount)
  }

  /// Applies one fill: position, ledger, house, and the account's consumed charge in that shard. Margins are left for
  /// whoever asks next; the charge already covers what the fill can add to them.
  mutating func consume(_ fill: Fill, from shard: Int) -> Bool {
    guard fillNumbers[shard] < RiskLimits.streamNumber, fill.number == fillNumbers[shard] + 1 else { return false }
    fillNumbers[shard] += 1
    let id = Int(fill.instrument.rawValue)
    guard id < board.marks.count, Int(board.definition.instruments[id].shard.rawValue) == shard, fill.fee >= .zero,
      let slot = book.slot(of: fill.account)
    else { return false }
    let currency = Int(board.definition.instruments[id].settlementCurrency.rawValue)
    let underlying = Int(board.definition.instruments[id].underlying.rawValue)
    let isHouse = fill.account == .house
    let (position, overflow) = book[slot].exposures[underlying].lots(of: fill.instrument)
      .addingReportingOverflow(fill.lots.count)
    let (net, tooLarge) = fill.cash.units.subtractingReportingOverflow(fill.fee.units)
    let houseFee = isHouse ? net.boundedSum(fill.fee.units) : fill.fee.units
    guard !overflow, !tooLarge, Self.isWithinLimits(position, of: board.definition.instruments[id]),
      isHouse || book[slot].ledger[currency].boundedSum(net) != nil, let houseFee,
      book[Self.houseSlot].ledger[currency].boundedSum(houseFee) != nil
    else { return false }
    #if NOVATION_PLANT
      if faults.contains(.dropFill) && fill.number % 64 == 0 { return true }
    #endif
    book.change(slot) { account in
      account.exposures[underlying].set(position, of: fill.instrument)
      if !isHouse { account.lines[shard].consume(upTo: fill.consumed.units) }
    }
    if !isHouse { move(slot, currency: currency, by: net) }
    move(Self.houseSlot, currency: currency, by: houseFee)
    refreshHolder(slot, underlying)
    if !isHouse && wantsTopUp(slot, shard: shard) { queueReview(slot) }
    return true
  }

  /// The house is opened by the genesis input.
  static var houseSlot: Int { 0 }
}
