import Foundation
import Listing
import Market
import Pricing
import Testing
import Wire

@testable import MarkNode

struct ListedPricingTests {
  private static let opening = Timestamp(seconds: 1_800_000_000)

  private static func pricing() throws -> ListedPricing {
    var url = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: url.appendingPathComponent("Package.swift").path) {
      url.deleteLastPathComponent()
    }
    let path = url.appendingPathComponent("cluster/config/instruments.toml").path
    return try ListedPricing(ListingFile.load(path).open(at: opening))
  }

  private static func contract(_ name: String, _ market: MarketDefinition) throws -> Instrument {
    try NewContract(name: name).instrument(in: market, now: opening)
  }

  /// Instruments that a publication for the first underlying names.
  private static func marked(_ pricing: ListedPricing) throws -> Set<InstrumentID> {
    let marks = try pricing.calculator.marks(
      of: UnderlyingID(0), index: pricing.market.underlyings[0].openingIndex, now: opening, version: 1)
    return Set(marks.risk.entries.map(\.instrument))
  }

  @Test func whatRiskHasListedIsPricedFromThenOn() throws {
    var pricing = try Self.pricing()
    let future = try Self.contract("BTC-1JAN30", pricing.market)
    #expect(try !Self.marked(pricing).contains(future.id))
    let taken = pricing.take(Listings(instruments: [future]))
    #expect(taken.map(\.instrument) == [future] && taken[0].refusal == nil)
    let option = try Self.contract("BTC-1JAN30-100000-C", pricing.market)
    _ = pricing.take(Listings(instruments: [option]))
    #expect(try Self.marked(pricing).isSuperset(of: [future.id, option.id]))
  }

  @Test func onlyTheNextNumberCounts() throws {
    var pricing = try Self.pricing()
    let future = try Self.contract("BTC-1JAN30", pricing.market)
    var later = future
    later.id = InstrumentID(future.id.rawValue + 1)
    #expect(pricing.take(Listings(instruments: [later])).isEmpty)
    #expect(pricing.take(Listings(instruments: [future, future, later])).map(\.instrument) == [future, later])
    #expect(pricing.take(Listings(instruments: [future])).isEmpty)
  }

  @Test func whatCannotBePricedKeepsNobodyElseFromIt() throws {
    var pricing = try Self.pricing()
    var odd = try Self.contract("BTC-1JAN30", pricing.market)
    // Quoted in coin: only options are.
    odd.settlement = .coin
    #expect(pricing.take(Listings(instruments: [odd])).first?.refusal != nil)
    let future = try Self.contract("BTC-2JAN30", pricing.market)
    #expect(future.id.rawValue == odd.id.rawValue + 1)
    #expect(pricing.take(Listings(instruments: [future])).first?.refusal == nil)
    let marked = try Self.marked(pricing)
    #expect(marked.contains(future.id) && !marked.contains(odd.id))
  }
}
