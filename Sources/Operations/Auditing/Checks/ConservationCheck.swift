import Market
import Settlement

/// `conservation`: per epoch, the fills of each shard cancel in every currency and every instrument; the commitments of
/// an epoch add up to the deposits consumed less the withdrawals granted; and after each epoch the balances and granted
/// withdrawals of all leaves are what was deposited.
///
/// A fill's fee goes from its account to the house, so a shard's fills cancel exactly if their cash does.
package final class ConservationCheck {
  package let findings = Findings(.conservation)
  private var market: MarketDefinition

  private struct FillSums {
    var epoch = Epoch(0)
    var cash: [Int128]
    var lots: [InstrumentID: Int128] = [:]
    var isEmpty = true
  }
  private var fills: [MachineID: FillSums] = [:]

  /// Of an epoch's commitments, while they come in.
  private struct CommittedSums {
    var machines = 0
    var ledger: [Int128]
    var positions: [InstrumentID: Int128] = [:]
    var depositCursor: UInt64 = 0
  }
  private var committed: [Epoch: CommittedSums] = [:]
  /// By epoch: what the commitments' ledgers gained, withdrawals added back, and how many deposits they had consumed.
  private var gains: [(epoch: Epoch, ledger: [Int128], depositCursor: UInt64)] = []

  init(_ market: MarketDefinition) { self.market = market }

  /// An instrument that joins the market.
  func list(_ instrument: Instrument) { market.instruments.append(instrument) }

  /// The aggregator's journal holds a fill that its shard produced in `epoch`.
  func heard(_ fill: Fill, from shard: MachineID, epoch: Epoch) {
    endEpoch(of: shard, before: epoch)
    guard let instrument = market[fill.instrument] else {
      findings.breach("\(shard): fill \(fill.number) is of instrument \(fill.instrument), which is not listed")
      return
    }
    fills[shard]!.cash[Int(instrument.settlementCurrency.rawValue)] += Int128(fill.cash.units)
    fills[shard]!.lots[fill.instrument, default: 0] += Int128(fill.lots.count)
    fills[shard]!.isEmpty = false
    if fill.fee < .zero { findings.breach("\(shard): fill \(fill.number) has a fee below zero") }
  }

  /// Something of a later epoch came from the shard: the sums before it are complete.
  func endEpoch(of shard: MachineID, before epoch: Epoch) {
    let blank = FillSums(epoch: epoch, cash: Array(repeating: 0, count: market.currencies.count))
    guard let sums = fills[shard] else {
      fills[shard] = blank
      return
    }
    guard sums.epoch < epoch else { return }
    if !sums.isEmpty {
      for (currency, sum) in sums.cash.enumerated() {
        findings.check(
          sum == 0, "\(shard), epoch \(sums.epoch): fills mint \(sum) units of \(market.currencies[currency].name)")
      }
      for (instrument, lots) in sums.lots.sorted(by: { $0.key < $1.key }) {
        findings.check(
          lots == 0, "\(shard), epoch \(sums.epoch): fills leave \(lots) lots of instrument \(instrument) over")
      }
    }
    fills[shard] = blank
  }

  /// The coordinator's journal holds a commitment.
  func journalled(_ commitment: Commitment) {
    let epoch = commitment.seal.epoch
    var sums = committed[epoch] ?? CommittedSums(ledger: Array(repeating: 0, count: market.currencies.count))
    sums.machines += 1
    for delta in commitment.ledger where Int(delta.currency.rawValue) < sums.ledger.count {
      sums.ledger[Int(delta.currency.rawValue)] += Int128(delta.amount.units)
    }
    for granted in commitment.withdrawals where Int(granted.currency.rawValue) < sums.ledger.count {
      sums.ledger[Int(granted.currency.rawValue)] += Int128(granted.amount.units)
    }
    for delta in commitment.positions { sums.positions[delta.instrument, default: 0] += Int128(delta.lots.count) }
    if commitment.machine == .risk { sums.depositCursor = commitment.depositCursor }
    guard sums.machines == market.committingMachines.count else {
      committed[epoch] = sums
      return
    }
    committed[epoch] = nil
    gains.append((epoch, sums.ledger, sums.depositCursor))
    for (instrument, lots) in sums.positions.sorted(by: { $0.key < $1.key }) {
      findings.check(lots == 0, "epoch \(epoch): commitments leave \(lots) lots of instrument \(instrument) over")
    }
  }

  /// The leaves after a final epoch: Σ ledger + Σ withdrawn = the deposits that the header consumed.
  package func final(_ header: EpochHeader, _ book: AccountBook, _ deposits: DepositSums) {
    for (currency, totals) in book.ledgerTotals.enumerated() {
      let deposited = deposits.sum(of: header.depositCursor, currency)
      findings.check(
        totals.ledger + totals.withdrawn == deposited,
        "epoch \(header.epoch): leaves hold \(totals.ledger) units of \(market.currencies[currency].name) and were "
          + "granted \(totals.withdrawn), of \(deposited.map { "\($0)" } ?? "unknown") deposited")
    }
  }

  /// - Parameter deposits: Σ of the first n deposits by currency, for n from 0.
  func finish(deposits: DepositSums) {
    var cursor: UInt64 = 0
    for gain in gains.sorted(by: { $0.epoch < $1.epoch }) {
      for currency in gain.ledger.indices {
        guard let after = deposits.sum(of: gain.depositCursor, currency),
          let before = deposits.sum(of: cursor, currency)
        else {
          findings.breach("epoch \(gain.epoch): consumed deposit \(gain.depositCursor), which nobody made")
          break
        }
        findings.check(
          gain.ledger[currency] == after - before,
          "epoch \(gain.epoch): ledgers and withdrawals gain \(gain.ledger[currency]) units of "
            + "\(market.currencies[currency].name), deposits \(after - before)")
      }
      cursor = gain.depositCursor
    }
  }
}

/// Σ deposits by currency up to each number.
package struct DepositSums {
  private var sums: [[Int128]]

  package init(currencies: Int) { sums = [Array(repeating: 0, count: currencies)] }

  package var count: UInt64 { UInt64(sums.count - 1) }
  package mutating func append(_ deposit: Deposit) {
    var next = sums[sums.count - 1]
    next[Int(deposit.currency.rawValue)] += Int128(deposit.amount.units)
    sums.append(next)
  }
  /// Over deposits 1 to `number`; `nil` beyond the last.
  func sum(of number: UInt64, _ currency: Int) -> Int128? { number < sums.count ? sums[Int(number)][currency] : nil }
}
