import Bytes
import Machine
import Market
import Testing

@testable import Clearing

@Suite struct AccountTests {
  @Test func theFirstDepositOpensTheAccountInEveryShard() {
    var driver = RiskDriver()
    driver.deposit(7, Money(whole: 4_000))
    let sent = driver.take()
    #expect(sent.map(\.destination) == (0..<4).map { MachineID.shard(ShardID($0)) })
    for message in sent {
      let credit = message.read(Credit.self)
      #expect(credit?.version == 1)
      #expect(credit?.owner == TestMarket.owner(7))
      // Three quarters laid out, a quarter of that in each shard.
      #expect(credit?.ceiling == Money(whole: 750))
    }
    #expect(driver.view(7).ledger[0] == Money(whole: 4_000))
  }

  @Test func theOwnerIsFixedByTheFirstDeposit() {
    var driver = RiskDriver()
    driver.deposit(7, Money(whole: 1))
    driver.from(
      .settlement,
      Deposit(number: 2, account: AccountID(7), owner: TestMarket.owner(9), currency: .usd, amount: Money(whole: 1)))
    #expect(driver.view(7).owner == TestMarket.owner(7))
    #expect(driver.view(7).ledger[0] == Money(whole: 2))
  }

  @Test func aDepositIsCountedOnceAndInOrder() {
    var driver = RiskDriver()
    let deposit = Deposit(
      number: 1, account: AccountID(7), owner: TestMarket.owner(7), currency: .usd, amount: Money(whole: 5))
    driver.from(.settlement, deposit)
    driver.from(.settlement, deposit)
    var later = deposit
    later.number = 3
    driver.from(.settlement, later)
    #expect(driver.view(7).ledger[0] == Money(whole: 5))
    #expect(driver.machine.vaultHoldings[0] == Money(whole: 5))
  }

  @Test func aFillMovesPositionLedgerAndHouse() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 1_000))
    driver.mark(index: 100_000)
    driver.fill(1, TestMarket.perpetual, lots: 2, at: Price(whole: 100_000), fee: Money(whole: 3))
    #expect(driver.view(1).ledger[0] == Money(whole: 1_000 - 200 - 3))
    #expect(driver.view(1).positions == [.init(instrument: TestMarket.perpetual, lots: Lots(2))])
    #expect(driver.view(0).ledger[0] == Money(whole: 3))
    driver.fill(1, TestMarket.perpetual, lots: -2, at: Price(whole: 101_000), fee: Money(whole: 1))
    #expect(driver.view(1).ledger[0] == Money(whole: 1_000 + 2 - 4))
    #expect(driver.view(1).positions.isEmpty)
    #expect(driver.view(0).ledger[0] == Money(whole: 4))
  }

  @Test func aFillOutOfNumberOrOfAnotherShardIsNotApplied() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 1_000))
    func offer(_ driver: inout RiskDriver, shard: Int, number: UInt64) {
      driver.from(
        shard,
        Fill(
          number: number, kind: .taker, instrument: TestMarket.perpetual,
          order: OrderID(account: AccountID(1), key: .owner, nonce: 1, index: 0), lots: Lots(1),
          price: Price(whole: 1), cash: .zero, fee: .zero, consumed: .zero))
    }
    offer(&driver, shard: 0, number: 2)
    offer(&driver, shard: 1, number: 1)
    #expect(driver.view(1).positions.isEmpty)
    offer(&driver, shard: 0, number: 1)
    #expect(driver.view(1).positions.count == 1)
    #expect(driver.machine.consumedFills == [1, 1, 0, 0])
    #expect(driver.machine.refusals == 2)
  }

  @Test func aStreamInputOutOfNumberIsIgnoredWhole() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 1_000))
    let hash = driver.machine.stateHash()
    let refusals = driver.machine.refusals
    let deposit = Deposit(
      number: 2, account: AccountID(1), owner: TestMarket.owner(1), currency: .usd, amount: Money(whole: 5))
    for first: UInt64 in [0, 1, 3, .max] {
      driver.input(.stream, RiskDriver.frame(deposit), source: .settlement, first: first, count: 1)
    }
    driver.input(.stream, RiskDriver.frame(deposit), source: .shard(ShardID(9)), first: 1, count: 1)
    driver.input(.stream, RiskDriver.frame(deposit), source: .marks, first: 1, count: 1)
    #expect(driver.view(1).ledger[0] == Money(whole: 1_000))
    #expect(driver.machine.refusals == refusals + 6)
    #expect(driver.machine.stateHash() != hash)  // the refusals are counted, nothing else
    #expect(driver.machine.streams.lastReceived(from: .settlement) == 1)
  }

  @Test func nothingHappensBeforeTheGenesisInput() {
    var driver = RiskDriver(TestMarket.definition(), isOpen: false)
    driver.input(.tick)
    driver.deposit(1, Money(whole: 1))
    driver.seal(0)
    #expect(driver.machine.epoch == Epoch(0))
    #expect(driver.machine.nextDeadline == .never)
    #expect(driver.take().isEmpty)
    driver.input(.genesis, TestMarket.definition().encoded)
    #expect(driver.machine.epoch == Epoch(1))
    #expect(driver.machine.totals().accounts == 1)
  }

  @Test func aMarketThatCannotBeMarginedIsRefused() {
    var definition = TestMarket.definition()
    definition.currencies[1].underlying = UnderlyingID(9)
    let driver = RiskDriver(definition)
    #expect(driver.machine.epoch == Epoch(0))
  }

  @Test func anExpiredInstrumentIsSettledOnceAtTheIndexOfTheMoment() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 100_000))
    driver.mark(index: 100_000)
    driver.fill(1, TestMarket.call, lots: 5, at: Price(whole: 10_000))
    _ = driver.take()
    driver.now = TestMarket.expiry
    driver.mark(index: 104_000)
    let settles = driver.take().compactMap { sent in sent.read(Settle.self).map { (sent.destination, $0) } }
    #expect(
      settles.map(\.1)
        == [TestMarket.future, TestMarket.call].map { Settle(instrument: $0, index: Price(whole: 104_000)) })
    #expect(settles.allSatisfy { $0.0 == .shard(ShardID(1)) })
    // Until its shard has settled it, the position keeps its last mark.
    #expect(driver.view(1).standing != nil)
    driver.advance(.seconds(1))
    driver.mark(index: 105_000)
    #expect(driver.take(Settle.self).isEmpty)
    driver.fill(1, TestMarket.call, lots: -5, at: Price(whole: 4_000), kind: .settlement)
    #expect(driver.view(1).positions.isEmpty)
    #expect(driver.view(1).standing?.equity == Money(whole: 100_000 - 500 + 200))
  }
}
