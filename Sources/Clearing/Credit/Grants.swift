import Machine
import Market

// The one way for an account in deficit to trade: an order that shrinks the deficit.
extension RiskMachine {
  /// Lets the order run alone, if no other such order is open and the account's deficit after it has filled whole at
  /// its own price, fee paid, is strictly smaller.
  mutating func grant(
    _ request: CreditRequest, to slot: Int, _ shard: Int, _ instrument: Instrument, _ standing: Standing,
    into output: inout OutputBuffer
  ) -> Bool {
    guard book[slot].grant == nil,
      let after = standingAfter(request.lots, of: instrument, at: request.price, for: slot),
      after.free > standing.free
    else { return false }
    book.change(slot) {
      $0.grant = OpenGrant(
        shard: ShardID(UInt16(shard)), request: request.request, charge: request.charge.units)
    }
    output.send(
      Grant(account: request.account, request: request.request, charge: request.charge), to: machine(shard), &streams)
    return true
  }

  /// Where the account would stand after such a fill as taker; `nil` if that cannot be measured.
  private mutating func standingAfter(
    _ lots: Lots, of instrument: Instrument, at price: Price, for slot: Int
  ) -> Standing? {
    guard price > .zero, lots.count.magnitude <= UInt64(RiskLimits.amount),
      let flow = instrument.buyerCashFlow(Lots(Int64(lots.count.magnitude)), at: price)
    else { return nil }
    let cash = lots > .zero ? Int128(flow.units) : -Int128(flow.units)
    let fee = (Int128(flow.units.magnitude) * Int128(parameters.takerFee)).ceiledQuotient(by: 1_000_000)
    let underlying = Int(instrument.underlying.rawValue)
    var account = book[slot]
    let (position, overflow) = account.exposures[underlying].lots(of: instrument.id)
      .addingReportingOverflow(lots.count)
    let currency = Int(instrument.settlementCurrency.rawValue)
    guard !overflow, Self.isWithinLimits(position, of: instrument),
      let ledger = (Int128(account.ledger[currency]) + cash - fee).bounded
    else { return nil }
    account.exposures[underlying].set(position, of: instrument.id)
    account.ledger[currency] = ledger
    account.invalidate()
    return board.standing(of: &account, sums: &sums)
  }

  /// The granted order has ended; its unused charge is gone from the ceiling.
  mutating func consume(_ closed: GrantClosed, from shard: Int) -> Bool {
    guard let slot = book.slot(of: closed.account), let grant = book[slot].grant,
      Int(grant.shard.rawValue) == shard, grant.request == closed.request, closed.ceiling >= .zero,
      closed.ceiling.units <= RiskLimits.amount
    else { return false }
    book.change(slot) { account in
      account.grant = nil
      account.lines[shard].consume(upTo: closed.consumed.units)
      account.lines[shard].acknowledged = closed.ceiling.units
    }
    queueReturn(slot)
    queueReview(slot)
    return true
  }
}
