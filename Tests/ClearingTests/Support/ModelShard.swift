import Bytes
import Machine
import Market

@testable import Clearing

/// A shard as the design tells it, without a book: orders rest until the test fills or cancels them.
final class ModelShard {
  struct Order {
    var account: UInt32
    var instrument: InstrumentID
    /// Signed, still open.
    var lots: Int64
    var price: Price
    /// What is reserved for the open lots.
    var charge: Int64
    /// The request under which it is held; nil when it rests.
    var request: UInt64?
  }
  struct Line {
    var ceiling: Int64 = 0
    var consumed: Int64 = 0
    var version: UInt64 = 0
    var freeze: UInt64?
  }

  let id: Int
  let definition: MarketDefinition
  private(set) var lines: [UInt32: Line] = [:]
  private(set) var orders: [Order] = []
  private var requests: UInt64 = 0
  private var fills: UInt64 = 0
  private var lastStep: UInt64 = 0
  /// A liquidation that has filled some lots and is still trading.
  private var sweeping: (order: Liquidate, filled: Int64)?
  /// Messages on their way here and from here.
  var inbox: [Sent] = []
  var outbox: [[UInt8]] = []
  /// Everything it has computed, for the checks.
  private(set) var positions: [UInt32: [InstrumentID: Int64]] = [:]
  private(set) var fees: [Int64] = [0, 0, 0]
  private(set) var isBroken = false
  var isHalted = false
  var requestsMade: Int { Int(requests) }
  private(set) var ordersPlaced = 0
  private(set) var grantsUsed = 0
  private(set) var stepsPostponed = 0
  private(set) var stepsSwept = 0
  var isIdle: Bool { inbox.isEmpty && outbox.isEmpty && sweeping == nil }

  init(_ id: Int, _ definition: MarketDefinition) {
    self.id = id
    self.definition = definition
  }

  private func send(_ message: some StreamMessage) { outbox.append(RiskDriver.frame(message)) }

  func reserved(_ account: UInt32) -> Int64 {
    orders.filter { $0.account == account && $0.request == nil }.reduce(0) { $0 + $1.charge }
  }

  private func checkInvariant(_ account: UInt32) {
    if let line = lines[account], line.consumed + reserved(account) > line.ceiling { isBroken = true }
  }

  func place(_ account: UInt32, _ instrument: InstrumentID, lots: Int64, at price: Price, charge: Int64) {
    guard let line = lines[account], line.freeze == nil, !isHalted else { return }
    ordersPlaced += 1
    var order = Order(
      account: account, instrument: instrument, lots: lots, price: price, charge: charge, request: nil)
    let need = line.consumed + reserved(account) + charge
    if need > line.ceiling {
      requests += 1
      order.request = requests
      send(
        CreditRequest(
          request: requests, account: AccountID(account), instrument: instrument, lots: Lots(lots), price: price,
          charge: Money(units: charge), shortfall: Money(units: need - line.ceiling)))
    }
    orders.append(order)
    checkInvariant(account)
  }

  func cancel(_ index: Int) { orders.remove(at: index) }

  /// Fills some of a resting order; its charge moves pro rata from reserved to U, the remainder with the last.
  func fill(_ index: Int, _ lots: Int64) {
    let order = orders[index]
    let part = lots == order.lots ? order.charge : Int64(Int128(order.charge) * Int128(lots) / Int128(order.lots))
    orders[index].lots -= lots
    orders[index].charge -= part
    lines[order.account]!.consumed += part
    if orders[index].lots == 0 { orders.remove(at: index) }
    book(order.account, order.instrument, lots, order.price, .maker, fee: definition.parameters.takerFee)
    checkInvariant(order.account)
  }

  private func book(
    _ account: UInt32, _ instrument: InstrumentID, _ lots: Int64, _ price: Price, _ kind: Fill.Kind, fee rate: UInt32
  ) {
    let contract = definition[instrument]!
    let flow = contract.buyerCashFlow(Lots(abs(lots)), at: price)!.units
    let fee = Int64((Int128(flow.magnitude) * Int128(rate)).ceiledQuotient(by: 1_000_000))
    positions[account, default: [:]][instrument, default: 0] += lots
    fees[Int(contract.settlementCurrency.rawValue)] += fee
    fills += 1
    send(
      Fill(
        number: fills, kind: kind, instrument: instrument,
        order: OrderID(account: AccountID(account), key: .owner, nonce: fills, index: 0), lots: Lots(lots),
        price: price, cash: Money(units: lots > 0 ? flow : -flow), fee: Money(units: fee),
        consumed: Money(units: lines[account]!.consumed)))
  }

  /// Ends a liquidation that is still trading, then takes the oldest message on its way here.
  func receive(_ random: inout Seeded) {
    carryOn(&random)
    guard !inbox.isEmpty else { return }
    let message = inbox.removeFirst()
    if let credit = message.read(Credit.self) {
      take(credit)
    } else if let grant = message.read(Grant.self) {
      run(grant, &random)
    } else if let refused = message.read(CreditRefused.self) {
      orders.removeAll { $0.request == refused.request && $0.account == refused.account.rawValue }
    } else if let freeze = message.read(Freeze.self) {
      let account = freeze.account.rawValue
      orders.removeAll { $0.account == account }
      lines[account]!.freeze = freeze.id
      lines[account]!.ceiling = lines[account]!.consumed
      send(
        FreezeTaken(
          account: freeze.account, id: freeze.id, fillNumber: fills,
          consumed: Money(units: lines[account]!.consumed)))
    } else if let release = message.read(Release.self) {
      if lines[release.account.rawValue]!.freeze == release.id { lines[release.account.rawValue]!.freeze = nil }
    } else if let order = message.read(Liquidate.self) {
      reduce(order, &random)
    } else if let halt = message.read(Halt.self) {
      isHalted = halt.isHalted
    } else if let settle = message.read(Settle.self) {
      for account in positions.keys.sorted() {
        let lots = positions[account]![settle.instrument] ?? 0
        let price = definition[settle.instrument]!.settlementPrice(index: settle.index)!
        if lots != 0 { book(account, settle.instrument, -lots, price, .settlement, fee: 0) }
      }
      orders.removeAll { $0.instrument == settle.instrument }
    }
  }

  private func take(_ credit: Credit) {
    let account = credit.account.rawValue
    var line = lines[account] ?? Line()
    guard credit.version > line.version else { return }
    line.version = credit.version
    if credit.isForced {
      var wanted = line.consumed + reserved(account)
      while wanted > credit.ceiling.units,
        let newest = orders.lastIndex(where: { $0.account == account && $0.request == nil })
      {
        wanted -= orders[newest].charge
        orders.remove(at: newest)
      }
    }
    line.ceiling = max(credit.ceiling.units, line.consumed + reserved(account))
    lines[account] = line
    for index in orders.indices where orders[index].account == account && orders[index].request != nil {
      if line.consumed + reserved(account) + orders[index].charge <= line.ceiling { orders[index].request = nil }
    }
    send(
      CreditTaken(
        account: credit.account, version: credit.version, ceiling: Money(units: line.ceiling),
        consumed: Money(units: line.consumed)))
    checkInvariant(account)
  }

  private func run(_ grant: Grant, _ random: inout Seeded) {
    let account = grant.account.rawValue
    var isUsed = false
    if let index = orders.firstIndex(where: { $0.request == grant.request && $0.account == account }) {
      isUsed = true
      grantsUsed += 1
      let order = orders.remove(at: index)
      let size = random.within(0...abs(order.lots))
      let part = Int64(Int128(order.charge) * Int128(size) / Int128(abs(order.lots)))
      lines[account]!.ceiling += part
      lines[account]!.consumed += part
      if size > 0 {
        book(
          account, order.instrument, order.lots > 0 ? size : -size, order.price, .taker,
          fee: definition.parameters.takerFee)
      }
    }
    send(
      GrantClosed(
        account: grant.account, request: grant.request, wasUsed: isUsed,
        ceiling: Money(units: lines[account]!.ceiling), consumed: Money(units: lines[account]!.consumed)))
    checkInvariant(account)
  }

  /// Fills a random part of a liquidation at its limit or nothing, puts it off, or leaves it trading.
  private func reduce(_ order: Liquidate, _ random: inout Seeded) {
    guard order.step > lastStep else { return }
    lastStep = order.step
    if random.chance(25) {
      stepsPostponed += 1
      let later: [Outcome] = [.busy, .instrumentHalted, .inAuction, .riskSilent, .marksSilent]
      send(
        LiquidationResult(
          account: order.account, step: order.step, filled: .zero, outcome: later[random.below(later.count)]))
      return
    }
    let filled = random.chance(25) ? 0 : fill(order, beyond: 0, &random)
    if random.chance(30) {
      stepsSwept += 1
      sweeping = (order, filled)
    } else {
      end(order, filled: filled)
    }
  }

  /// Some of what is left of a liquidation, never through zero; the signed lots.
  private func fill(_ order: Liquidate, beyond filled: Int64, _ random: inout Seeded) -> Int64 {
    let account = order.account.rawValue
    let held = positions[account]?[order.instrument] ?? 0
    let left = abs(order.lots.count - filled)
    let most = min(left, held.signum() == -order.lots.count.signum() ? abs(held) : 0)
    let size = random.chance(50) ? most : random.within(0...most)
    let lots = order.lots.count > 0 ? size : -size
    if size > 0 { book(account, order.instrument, lots, order.limit, .liquidation, fee: 0) }
    return lots
  }

  private func carryOn(_ random: inout Seeded) {
    guard let (order, filled) = sweeping else { return }
    sweeping = nil
    end(order, filled: filled + fill(order, beyond: filled, &random))
  }

  private func end(_ order: Liquidate, filled: Int64) {
    send(
      LiquidationResult(
        account: order.account, step: order.step, filled: Lots(filled),
        outcome: filled == order.lots.count ? .filled : .residualCancelled))
  }
}
