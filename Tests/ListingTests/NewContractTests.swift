import Foundation
import Market
import Testing

@testable import Listing

struct NewContractTests {
  private static let now = Timestamp(seconds: 1_800_000_000)

  private static func market() throws -> MarketDefinition {
    var url = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: url.appendingPathComponent("Package.swift").path) {
      url.deleteLastPathComponent()
    }
    let path = url.appendingPathComponent("cluster/config/instruments.toml").path
    return try ListingFile.load(path).open(at: now).market
  }

  /// Said by its name alone, it is what the opening made of it.
  @Test func everyContractOfTheMarketIsReadFromItsName() throws {
    let market = try Self.market()
    #expect(market.instruments.count > 20)
    for listed in market.instruments {
      var others = market
      others.instruments.removeAll { $0.name == listed.name }
      for index in others.instruments.indices { others.instruments[index].id = InstrumentID(UInt32(index)) }
      // Where it is the only one of its sort there is nobody to take the terms from.
      guard
        others.instruments.contains(where: {
          $0.underlying == listed.underlying && $0.settlement == listed.settlement
            && ($0.kind == listed.kind || $0.kind.isOption && listed.kind.isOption)
        })
      else { continue }
      let contract = NewContract(name: listed.name)
      var read = try contract.instrument(in: others, now: Self.now)
      #expect(Int(read.id.rawValue) == others.instruments.count)
      read.id = listed.id
      if listed.expiry == .never { read.shard = listed.shard }
      let isAloneInItsExpiry = !others.instruments.contains {
        $0.underlying == listed.underlying && $0.expiry == listed.expiry
      }
      if isAloneInItsExpiry { read.shard = listed.shard }
      #expect(read == listed)
    }
  }

  @Test func aNewExpiryGoesWhereTheUnderlyingHasFewest() throws {
    let market = try Self.market()
    let added = try NewContract(name: "eth-1jan30").instrument(in: market, now: Self.now)
    #expect(added.name == "ETH-1JAN30" && added.kind == .future && added.settlement == .inverse)
    let own = market.instruments.filter { $0.underlying == added.underlying }
    let fewest = Set(own.map(\.shard)).map { shard in own.count { $0.shard == shard } }.min()
    #expect(own.count { $0.shard == added.shard } == fewest)
    #expect(added.expiry == CalendarDay("2030-01-01")?.expiry)
  }

  @Test func termsThatAreGivenAreTaken() throws {
    var contract = NewContract(name: "BTC_USDC-1JAN30-90000d5-P")
    contract.tickSize = Price("0.25")
    contract.lotSize = Quantity("0.5")
    contract.minimumOrder = Quantity("1")
    contract.maximumOrder = Quantity("10")
    contract.shard = ShardID(1)
    let added = try contract.instrument(in: Self.market(), now: Self.now)
    #expect(added.tickSize == Price("0.25") && added.lotSize == Quantity("0.5") && added.tickSteps.isEmpty)
    #expect(added.minimumOrder == Lots(2) && added.maximumOrder == Lots(20) && added.shard == ShardID(1))
    #expect(added.kind == .put && added.strike == Price("90000.5"))
  }

  @Test(arguments: [
    ("DOGE-PERPETUAL", "an underlying of this market"), ("BTC", "contract's name"),
    ("BTC-PERPETUAL-5", "contract's name"),
    ("BTC-31FEB30", "contract's name"), ("BTC-01JAN30", "contract's name"), ("BTC-1JAN30-5-X", "contract's name"),
    ("BTC-1JAN30-0-C", "contract's name"), ("BTC-1JAN30-05-C", "is written BTC-1JAN30-5-C"),
    ("BTC_EUR-1JAN30", "contract's name"), ("BTC-PERPETUAL", "listed already"), ("BTC-1JAN20", "would have expired"),
    ("", "contract's name"), ("BTC-1JAN30-99999999999999999999-C", "contract's name"),
  ])
  func aNameThatSaysNoContractIsRefused(_ name: String, _ word: String) throws {
    let market = try Self.market()
    #expect {
      _ = try NewContract(name: name).instrument(in: market, now: Self.now)
    } throws: { ($0 as? ListingError)?.rule.contains(word) ?? false }
  }

  @Test func termsThatCannotBeAreRefused() throws {
    let market = try Self.market()
    func refusal(_ change: (inout NewContract) -> Void) -> String {
      var contract = NewContract(name: "BTC-1JAN30")
      change(&contract)
      do {
        _ = try contract.instrument(in: market, now: Self.now)
        return ""
      } catch { return "\(error)" }
    }
    #expect(refusal { $0.name = "BTC_USDC-1JAN30" }.contains("must be given"))
    #expect(refusal { $0.lotSize = .zero }.contains("above zero"))
    #expect(refusal { $0.minimumOrder = Quantity(units: 1) }.contains("whole lots"))
    #expect(refusal { $0.shard = ShardID(market.shardCount) }.contains("must be 0 to"))
  }
}
