import Bytes
import Market
import Testing

@testable import Operations

private let market = TestMarket.definition(opening: Timestamp(seconds: 1_000))
private let perpetual = market.instruments[0]

@Suite struct OrderTicketTests {
  private static func ticket(_ change: (inout OrderTicket) -> Void = { _ in }) -> OrderTicket {
    var ticket = OrderTicket(
      account: AccountID(1), instrument: perpetual.name, side: .buy, quantity: Quantity("0.1")!)
    ticket.price = Price(whole: 100)
    change(&ticket)
    return ticket
  }

  @Test func everyOptionReachesItsField() throws {
    let iceberg = try Self.ticket {
      $0.display = Quantity("0.02")
      $0.isPostOnly = true
      $0.isSliding = true
      $0.selfTrade = .decrement
      $0.label = 12
      $0.clientID = 34
      $0.isCancelledOnDisconnect = true
    }.operation(on: perpetual)
    #expect(iceberg.kind == .new && iceberg.type == .limit && iceberg.displayQuantity == Quantity("0.02"))
    #expect(iceberg.flags == [.postOnly, .slide, .cancelOnDisconnect])
    #expect(iceberg.selfTradePrevention == Market.Operation.SelfTradePrevention.decrement.rawValue)
    #expect(iceberg.label == 12 && iceberg.targetNonce == 34)

    let stop = try Self.ticket {
      $0.kind = .takeProfitLimit
      $0.triggerPrice = Price("90.5")
      $0.trigger = .last
    }.operation(on: perpetual)
    #expect(stop.type == .takeProfitLimit && stop.triggerPrice == Price("90.5") && stop.price == Price(whole: 100))
    #expect(stop.triggerSource == Market.Operation.TriggerSource.last.rawValue)

    let trailing = try Self.ticket {
      $0.kind = .trailingStop
      $0.price = nil
      $0.trail = Price(whole: 3)
      $0.trigger = .index
    }.operation(on: perpetual)
    #expect(trailing.type == .trailingStop && trailing.triggerPrice == Price(whole: 3) && trailing.price == .zero)

    let minimum = try Self.ticket {
      $0.validity = .ioc
      $0.minimum = Quantity("0.05")
    }.operation(on: perpetual)
    #expect(minimum.flags == .minimumQuantity && minimum.displayQuantity == Quantity("0.05"))
    #expect(minimum.timeInForce == .immediateOrCancel)
  }

  @Test func whatContradictsItselfIsRefused() throws {
    let flaws: [(String, (inout OrderTicket) -> Void)] = [
      ("--price is missing", { $0.price = nil }), ("a market order has none", { $0.kind = .market }),
      ("waits for no trigger", { $0.triggerPrice = Price(whole: 1) }), ("waits for no trigger", { $0.trigger = .mark }),
      ("waits for no trigger", { $0.trail = Price(whole: 1) }),
      ("--trigger-price is missing", { $0.kind = .stopLimit }),
      (
        "--trail is missing",
        {
          $0.kind = .trailingStop
          $0.price = nil
        }
      ),
      (
        "only --type trailing-stop",
        {
          $0.kind = .stopLimit
          $0.trail = Price(whole: 1)
        }
      ),
      ("--slide", { $0.isSliding = true }),
      (
        "--post-only and --tif fok",
        {
          $0.isPostOnly = true
          $0.validity = .fok
        }
      ),
      (
        "--display and --minimum",
        {
          $0.display = Quantity("0.01")
          $0.minimum = Quantity("0.01")
        }
      ),
      (
        "only a limit order that may rest",
        {
          $0.display = Quantity("0.01")
          $0.validity = .ioc
        }
      ),
      (
        "--reduce-only",
        {
          $0.display = Quantity("0.01")
          $0.isReduceOnly = true
        }
      ),
      (
        "fok is the whole",
        {
          $0.minimum = Quantity("0.01")
          $0.validity = .fok
        }
      ),
      ("to the order's quantity", { $0.display = Quantity("0.2") }),
      ("not whole lots", { $0.display = Quantity("0.0105") }), ("--label 0", { $0.label = 0 }),
      ("--client-id 0", { $0.clientID = 0 }), ("--expires is missing", { $0.validity = .gtd }),
      ("only an order with --tif gtd", { $0.expiresSeconds = 5 }),
    ]
    for (word, flaw) in flaws {
      let error = #expect(throws: CommandMistake.self, "\(word)") { try Self.ticket(flaw).operation(on: perpetual) }
      #expect(error?.description.contains(word) ?? false, "\(word): \(String(describing: error))")
    }
  }

  @Test func aPriceIsOnTheTickOfItsLevelAndAQuantityWithinTheLimits() throws {
    var stepped = perpetual
    stepped.tickSteps = [.init(from: Price(whole: 50), tick: Price(whole: 5))]
    stepped.minimumOrder = Lots(10)
    #expect(throws: Never.self) { try Self.ticket { $0.price = Price("49.5") }.operation(on: stepped) }
    let coarse = #expect(throws: CommandMistake.self) {
      try Self.ticket { $0.price = Price("52.5") }.operation(on: stepped)
    }
    #expect(try #require(coarse).description.contains("ticks of 5 there, the nearest are 50 and 55"))
    let small = #expect(throws: CommandMistake.self) {
      try Self.ticket { $0.quantity = Quantity("0.009")! }.operation(on: stepped)
    }
    #expect(try #require(small).description.contains("is of 0.01 to 100"))
  }
}

@Suite struct OrderTargetTests {
  @Test func anOrderIsNamedAsItWasPrinted() throws {
    let account = AccountID(7)
    for text in ["7/0/12/3", "12/3"] {
      guard case .name(12, 3, nil) = try OrderTarget(reading: text, account: account, instrument: nil) else {
        Issue.record("\(text)")
        return
      }
    }
    for text in ["8/0/12/3", "7/1/12/3", "12", "7/0/x/3", "1/2/3", "7/0/12/99999"] {
      #expect(throws: CommandMistake.self, "\(text)") {
        try OrderTarget(reading: text, account: account, instrument: nil)
      }
    }
    var operation = Market.Operation(kind: .cancel, instrument: perpetual.id)
    OrderTarget.clientID(77, instrument: perpetual.name).aim(&operation)
    #expect(operation.flags == .byClientID && operation.targetNonce == 77 && operation.targetIndex == 0)
  }
}

@Suite struct MassCancelTests {
  private static func operations(
    _ change: (inout MassCancel) -> Void
  ) throws -> [(shard: ShardID, operation: Market.Operation)] {
    var mass = MassCancel()
    change(&mass)
    return try mass.operations(in: market)
  }

  @Test func oneOperationGoesToEachShardConcerned() throws {
    let all = try Self.operations { _ in }
    #expect(all.map(\.shard) == [ShardID(0), ShardID(1)])
    #expect(all.allSatisfy { $0.operation.instrument == Market.Operation.allInstruments && $0.operation.rawType == 0 })
    let ether = try Self.operations { $0.underlying = "eth" }
    #expect(ether.map(\.shard) == [ShardID(1)])
    let futures = try Self.operations {
      $0.kind = .future
      $0.label = 9
      $0.isQuotesOnly = true
    }
    #expect(futures.map(\.shard) == [ShardID(0)])
    #expect(futures[0].operation.rawType == Market.Operation.Scope.futures.rawValue)
    #expect(futures[0].operation.flags == [.byLabel, .quote] && futures[0].operation.label == 9)
    let one = try Self.operations { $0.instrument = "ETH-PERPETUAL" }
    #expect(one.count == 1 && one[0].shard == ShardID(1) && one[0].operation.instrument == InstrumentID(2))
  }

  @Test func filtersThatLeaveNothingAreRefused() {
    #expect(throws: CommandMistake.self) { try Self.operations { $0.kind = .put } }
    #expect(throws: CommandMistake.self) { try Self.operations { $0.underlying = "XRP" } }
    #expect(throws: CommandMistake.self) {
      try Self.operations {
        $0.instrument = "ETH-PERPETUAL"
        $0.underlying = "ETH"
      }
    }
  }
}

@Suite struct QuoteRequestTests {
  @Test func aFileIsReadAsCSVOrAsObjects() throws {
    let quotes = try QuoteFile.parse(
      """
      instrument,bid price,bid quantity,ask price,ask quantity
      # two sides, then one
      BTC-FUTURE,99.5,0.1,100.5,0.2

      BTC-USDC-PERPETUAL, , ,101,0.3
      {"instrument": "ETH-PERPETUAL", "bid": "4000@5"}
      """, name: "q")
    #expect(quotes.map(\.instrument) == ["BTC-FUTURE", "BTC-USDC-PERPETUAL", "ETH-PERPETUAL"])
    #expect(quotes[0].bid == .init(price: Price("99.5")!, quantity: Quantity("0.1")!))
    #expect(quotes[1].bid == nil && quotes[1].ask == .init(price: Price(whole: 101), quantity: Quantity("0.3")!))
    #expect(quotes[2].bid == .init(price: Price(whole: 4_000), quantity: Quantity(whole: 5)) && quotes[2].ask == nil)
  }

  @Test(arguments: [
    ("A,1,2,3", "q:1: 4 fields"), ("A,1,x,3,4", "q:1: bid 1@x"), ("{\"bid\": 3}", "q:1: it must be"),
    ("A,1,2,3,4\na,1,2,3,4", "q:2: a is quoted twice"), ("# nothing", "holds no quote"), ("A,1,,3,4", "q:1: bid 1@"),
  ])
  func aFileThatIsNoneIsRefusedWithItsLine(_ text: String, _ word: String) throws {
    let error = #expect(throws: CommandMistake.self) { try QuoteFile.parse(text, name: "q") }
    #expect(try #require(error).description.contains(word), "\(String(describing: error))")
  }

  @Test func bothSidesReachTheirFields() throws {
    var terms = QuoteRequest.Terms()
    terms.isPostOnly = true
    terms.label = 5
    let side = QuoteRequest.Side(price: Price(whole: 99), quantity: Quantity("0.1")!)
    let ask = QuoteRequest.Side(price: Price(whole: 101), quantity: Quantity("0.2")!)
    let quote = try QuoteRequest(instrument: perpetual.name, bid: side, ask: ask).operation(on: perpetual, terms)
    #expect(quote.kind == .quote && quote.price == side.price && quote.quantity == side.quantity)
    #expect(quote.triggerPrice == ask.price && quote.displayQuantity == ask.quantity)
    #expect(quote.flags == .postOnly && quote.label == 5 && quote.targetNonce == 0 && quote.rawType == 0)
    let empty = try QuoteRequest(instrument: perpetual.name, bid: nil, ask: nil).operation(on: perpetual, .init())
    #expect(empty.quantity == .zero && empty.displayQuantity == .zero)
    #expect(throws: CommandMistake.self) {
      try QuoteRequest(instrument: perpetual.name, bid: ask, ask: side).operation(on: perpetual, terms)
    }
  }
}

@Suite struct SafeguardTests {
  @Test func aSettingIsOneOperationWithoutAnInstrument() throws {
    var limits = Safeguard.Limits()
    limits.quantity = Quantity(whole: 10)
    limits.delta = Price(whole: 5)
    limits.vega = Price(whole: 2_000)
    limits.windowMilliseconds = 1_500
    limits.freezeMilliseconds = 9_000
    let protection = Safeguard.protection(limits).operation(on: nil)
    #expect(protection.kind == .protection && protection.instrument == InstrumentID(0))
    #expect(protection.quantity == Quantity(whole: 10) && protection.price == Price(whole: 5))
    #expect(protection.triggerPrice == Price(whole: 2_000) && protection.targetNonce == 9_000 << 32 | 1_500)
    #expect(Safeguard.deadMan(seconds: 30).operation(on: nil).targetNonce == 30_000)
    let kill = Safeguard.killSwitch(isOn: true).operation(on: nil)
    #expect(kill.kind == .killSwitch && kill.rawType == 1 && kill.targetNonce == 0)
    let lifted = Safeguard.killSwitch(isOn: false).operation(on: AccountID(7))
    #expect(lifted.rawType == 0 && lifted.targetNonce == 7)
  }

  @Test func aTradingStateGoesToEveryShardConcerned() throws {
    let one = try TradingStateChange.targets(.auction, .instrument("btc-future"), seconds: 2.5, in: market)
    #expect(one.count == 1 && one[0].operation.instrument == InstrumentID(1) && one[0].operation.targetNonce == 2_500)
    #expect(one[0].operation.kind == .tradingState && one[0].operation.rawType == TradingState.auction.rawValue)
    let all = try TradingStateChange.targets(.halt, .everything, seconds: nil, in: market)
    #expect(all.map(\.shard) == [ShardID(0), ShardID(1)] && all[0].operation.rawType == TradingState.halted.rawValue)
    #expect(all.allSatisfy { $0.operation.instrument == Market.Operation.allInstruments })
    #expect(throws: CommandMistake.self) {
      try TradingStateChange.targets(.halt, .everything, seconds: 3, in: market)
    }
    #expect(throws: CommandMistake.self) {
      try TradingStateChange.targets(.auction, .everything, seconds: nil, in: market)
    }
  }
}
