import Bytes
import Market
import Testing

struct InstrumentTests {
  private func instrument(
    _ kind: Instrument.Kind, _ settlement: Instrument.Settlement, strike: Price = .zero,
    lotSize: Quantity = Quantity(whole: 1)
  ) -> Instrument {
    Instrument(
      id: InstrumentID(0), name: "X", kind: kind, settlement: settlement, underlying: UnderlyingID(0),
      settlementCurrency: settlement == .linear ? .usd : Currency(1), shard: ShardID(0), expiry: .never, strike: strike,
      tickSize: Price(units: 1), lotSize: lotSize, maximumOrder: Lots(1_000))
  }

  @Test func buyingALinearContractCostsQuantityTimesPrice() {
    let future = instrument(.future, .linear, lotSize: Quantity("0.001")!)
    #expect(future.buyerCashFlow(Lots(5), at: Price(whole: 100_000)) == Money(whole: -500))
    #expect(future.positionValue(Lots(5), at: Price(whole: 110_000)) == Money(whole: 550))
    #expect(future.positionValue(Lots(-5), at: Price(whole: 110_000)) == Money(whole: -550))
  }

  @Test func buyingACoinOptionCostsCoins() {
    let option = instrument(.call, .coin, strike: Price(whole: 100_000), lotSize: Quantity("0.1")!)
    #expect(option.buyerCashFlow(Lots(2), at: Price("0.0405")!) == Money("-0.0081"))
  }

  @Test func buyingAnInverseContractEarnsQuantityOverPrice() {
    let perpetual = instrument(.perpetual, .inverse, lotSize: Quantity(whole: 10))
    #expect(perpetual.buyerCashFlow(Lots(100), at: Price(whole: 50_000)) == Money("0.02"))
    #expect(perpetual.positionValue(Lots(100), at: Price(whole: 40_000)) == Money("-0.025"))
    #expect(perpetual.positionValue(Lots(-100), at: Price(whole: 40_000)) == Money("0.025"))
    let entered = perpetual.buyerCashFlow(Lots(100), at: Price(whole: 40_000))!
    let worth = perpetual.positionValue(Lots(100), at: Price(whole: 50_000))!
    #expect(entered + worth == Money("0.005"), "the long gains coins as the price rises")
  }

  /// The flow is rounded once: whatever the buyer pays, the seller gets, for every settlement and any rounding.
  @Test(arguments: [Instrument.Settlement.linear, .coin, .inverse])
  func theTwoSidesOfATradeCancel(_ settlement: Instrument.Settlement) throws {
    let contract = instrument(.future, settlement, lotSize: Quantity(units: 3))
    for lots: Int64 in [1, 2, 7, 333] {
      for price: Int64 in [1, 3, 99_999_999, 100_000_001, 777_777_777_777] {
        let buyer = try #require(contract.buyerCashFlow(Lots(lots), at: Price(units: price)))
        let notional = try #require(contract.notional(Lots(lots), at: Price(units: price)))
        #expect(buyer == (settlement == .inverse ? notional : -notional))
        #expect(buyer + -buyer == .zero)
      }
    }
  }

  @Test func amountsAreRoundedDown() {
    let linear = instrument(.future, .linear, lotSize: Quantity(units: 1))
    #expect(linear.notional(Lots(3), at: Price("0.5")!) == Money(units: 1))
    #expect(linear.buyerCashFlow(Lots(3), at: Price("0.5")!) == Money(units: -1))
    #expect(linear.positionValue(Lots(-3), at: Price("0.5")!) == Money(units: -2), "a debt is rounded up in size")
    let inverse = instrument(.future, .inverse, lotSize: Quantity(units: 1))
    #expect(inverse.notional(Lots(2), at: Price(whole: 3)) == .zero)
    #expect(inverse.positionValue(Lots(2), at: Price(whole: 3)) == Money(units: -1))
    #expect(inverse.positionValue(Lots(-2), at: Price(whole: 3)) == .zero)
  }

  @Test func positionsOfBothSidesNeverAddUpToMoreThanNothing() {
    for settlement in [Instrument.Settlement.linear, .coin, .inverse] {
      let contract = instrument(.future, settlement, lotSize: Quantity(units: 7))
      for mark: Int64 in [1, 3, 99, 123_456_789, 100_000_000_007] {
        let long = contract.positionValue(Lots(11), at: Price(units: mark))!
        let short = contract.positionValue(Lots(-11), at: Price(units: mark))!
        #expect((-1...0).contains((long + short).units))
      }
    }
  }

  @Test func whatDoesNotFitIsNil() {
    let linear = instrument(.future, .linear)
    #expect(linear.quantity(Lots(.max)) == nil)
    #expect(linear.notional(Lots(.max), at: Price(whole: 1)) == nil)
    #expect(linear.buyerCashFlow(Lots(90_000_000_000), at: Price(whole: 2)) == nil)
    #expect(linear.positionValue(Lots(-90_000_000_000), at: Price(whole: 2)) == nil)
    #expect(linear.buyerCashFlow(Lots(1), at: Price(units: .min)) == nil, "the lowest amount has no opposite")
    let inverse = instrument(.perpetual, .inverse)
    for price: Int64 in [0, -1, .min] {
      #expect(inverse.notional(Lots(1), at: Price(units: price)) == nil)
      #expect(inverse.positionValue(Lots(1), at: Price(units: price)) == nil)
    }
    #expect(inverse.notional(Lots(90_000_000_000), at: Price(units: 1)) == nil)
  }

  @Test func futuresSettleAtTheIndex() {
    for settlement in [Instrument.Settlement.linear, .inverse] {
      #expect(instrument(.future, settlement).settlementPrice(index: Price(whole: 95)) == Price(whole: 95))
    }
    #expect(instrument(.perpetual, .inverse).settlementPrice(index: Price(whole: 95)) == Price(whole: 95))
  }

  @Test func optionsSettleAtTheirIntrinsicValue() {
    let strike = Price(whole: 100)
    let call = instrument(.call, .linear, strike: strike)
    let put = instrument(.put, .linear, strike: strike)
    #expect(call.settlementPrice(index: Price(whole: 130)) == Price(whole: 30))
    #expect(call.settlementPrice(index: strike) == .zero)
    #expect(call.settlementPrice(index: Price(whole: 70)) == .zero)
    #expect(put.settlementPrice(index: Price(whole: 70)) == Price(whole: 30))
    #expect(put.settlementPrice(index: Price(whole: 130)) == .zero)
  }

  @Test func coinOptionsSettleInCoinRoundedDown() {
    let call = instrument(.call, .coin, strike: Price(whole: 100))
    #expect(call.settlementPrice(index: Price(whole: 125)) == Price("0.2"))
    #expect(call.settlementPrice(index: Price(whole: 300)) == Price("0.66666666"))
    #expect(
      instrument(.put, .coin, strike: Price(whole: 100)).settlementPrice(index: Price(whole: 60))?.units == 66_666_666)
    for index: Int64 in [0, -1] { #expect(call.settlementPrice(index: Price(units: index)) == nil) }
  }

  @Test func ticksGetCoarserFromEachStepOn() {
    var option = instrument(.call, .coin, strike: Price(whole: 100))
    #expect(option.tick(at: Price(whole: 5)) == Price(units: 1))
    option.tickSteps = [
      .init(from: Price(units: 50), tick: Price(units: 5)), .init(from: Price(units: 100), tick: Price(units: 10)),
    ]
    for (price, tick) in [(0, 1), (49, 1), (50, 5), (99, 5), (100, 10), (1_000_000, 10)] as [(Int64, Int64)] {
      #expect(option.tick(at: Price(units: price)) == Price(units: tick), "at \(price)")
    }
  }

  @Test func anInstrumentRoundTripsAndRefusesWhatCannotTrade() throws {
    var sound = instrument(.put, .coin, strike: Price(whole: 100))
    sound.name = "BTC-27MAR27-100000-P"
    sound.subID = Digest([UInt8](0..<32))
    sound.minimumOrder = Lots(2)
    sound.tickSteps = [
      .init(from: Price(units: 50), tick: Price(units: 5)), .init(from: Price(units: 100), tick: Price(units: 10)),
    ]
    #expect(try Instrument(decoding: sound.encoded) == sound)
    let flaws: [(inout Instrument) -> Void] = [
      { $0.tickSize = .zero }, { $0.tickSize = Price(units: -1) }, { $0.lotSize = .zero },
      { $0.maximumOrder = .zero }, { $0.maximumOrder = Lots(-1) }, { $0.minimumOrder = .zero },
      { $0.minimumOrder = Lots(1_001) }, { $0.tickSteps.swapAt(0, 1) }, { $0.tickSteps[0].from = Price(units: 52) },
      { $0.tickSteps[1].tick = Price(units: 5) }, { $0.tickSteps[1].tick = Price(units: 7) },
      { $0.tickSteps[0].from = .zero }, { $0.tickSteps[1].from = Price(units: 105) },
    ]
    for flaw in flaws {
      var flawed = sound
      flaw(&flawed)
      #expect(throws: MalformedBytes.self) { try Instrument(decoding: flawed.encoded) }
    }
    #expect(Instrument.Kind.call.isOption && Instrument.Kind.put.isOption && !Instrument.Kind.future.isOption)
  }
}
