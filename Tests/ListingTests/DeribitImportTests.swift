import Foundation
import Market
import Pricing
import Testing

@testable import Listing

@Suite struct DeribitImportTests {
  static let now = Timestamp(seconds: 1_798_797_600)  // 2027-01-01T10:00:00Z

  @Test(.enabled(if: Place.hasSharedData, "\(Place.absence)"), arguments: Place.snapshots)
  func aRecordedChainBecomesAMarketWithTheRecordedMarks(_ name: String) throws {
    let out = Place.temporary("instruments.toml")
    defer { try? FileManager.default.removeItem(atPath: out) }
    let path = Place.snapshot(name)
    let report = try DeribitImport.run(csvGzPath: path, out: out, now: Self.now)
    #expect(report.instruments >= 1_300 && report.options == report.rows && report.excluded.isEmpty, "\(report)")
    #expect(report.instant >= Self.now && report.instant < Self.now + .days(1))
    let listing = try ListingFile.load(out).open(at: report.instant, shards: 4)
    #expect(listing.market.instruments.count == report.instruments)
    let chain = try DeribitChain.load(path)
    var recorded: [String: ChainRow] = [:]
    for row in chain.rows {
      let day = CalendarDay(number: row.day.number + report.shiftDays)
      let name = ContractName.option(
        row.currency, .coin, dollar: "USDC", day: day, strike: row.strike, isCall: row.isCall)
      recorded[name] = row
    }
    let calculator = try listing.markCalculator()
    for (index, underlying) in listing.market.underlyings.enumerated() {
      let marks = try calculator.marks(
        of: UnderlyingID(UInt8(index)), index: underlying.openingIndex, now: report.instant, version: 1)
      #expect(marks.leftOut.isEmpty)
      var errors: [Double] = []
      for entry in marks.risk.entries {
        let instrument = try #require(listing.market[entry.instrument])
        guard instrument.kind.isOption else { continue }
        #expect(instrument.tickSteps == [.init(from: Price("0.005")!, tick: Price("0.0005")!)])
        let row = try #require(recorded[instrument.name])
        errors.append(abs(entry.mark.asDouble - row.mark))
      }
      errors.sort()
      #expect(!errors.isEmpty && errors[errors.count / 2] <= 1e-4, "\(underlying.name) median")
      #expect(errors[errors.count * 99 / 100] <= 2e-3, "\(underlying.name) 99 %")
    }
  }

  @Test(.enabled(if: Place.hasSharedData, "\(Place.absence)"), arguments: Place.snapshots)
  func inverseBlack76FromTheMarkVolatilityIsTheRecordedMark(_ name: String) throws {
    let chain = try DeribitChain.load(Place.snapshot(name))
    for currency in ["BTC", "ETH"] {
      var errors: [Double] = []
      for row in chain.rows where row.currency == currency {
        let years = Double((row.day.expiry - chain.snapshot).nanoseconds) / 1e9 / Black76.secondsPerYear
        let option = try #require(
          Black76(
            row.isCall ? .call : .put, forward: row.forward, strike: row.strike.asDouble,
            volatility: row.volatility, years: years))
        errors.append(abs(try #require(option.coinPrice) - row.mark))
      }
      #expect(DeribitImport.median(errors) <= 1e-4, "\(currency): \(DeribitImport.median(errors))")
    }
  }

  @Test(.enabled(if: Place.hasSharedData, "\(Place.absence)"))
  func asRecordedKeepsTheExpiries() throws {
    let chain = try DeribitChain.load(Place.snapshot(Place.snapshots[2]))
    let (text, report) = try DeribitImport.instrumentFile(of: chain, now: Self.now, asRecorded: true, name: "x")
    #expect(report.shiftDays == 0 && report.instant == chain.snapshot)
    let file = try ListingFile(text: text, name: "x")
    let market = try file.open(at: chain.snapshot).market
    #expect(market.instrument(named: "BTC-27MAR26-60000-P") != nil && market.instrument(named: "BTC-27MAR26") != nil)
    #expect(market.instrument(named: "BTC-8MAR26") == nil, "a synthetic forward is no future")
    // Long after, only the perpetuals are left, and the opening says what has passed.
    let later = try file.open(at: Self.now)
    #expect(later.market.instruments.map(\.name) == ["BTC-PERPETUAL", "ETH-PERPETUAL"] && later.expired.count == 12)
  }

  static let header =
    "timestamp,instrument_name,option_type,strike,expiry_datetime,mark_price,futures_price,futures_instrument_name,"
    + "implied_volatility,currency,index_price"
  static let good = [
    row("BTC-13MAR26-70000-C,call,70000.0", "0.03", "0.55"), row("BTC-13MAR26-70000-P,put,70000.0", "0.02", "0.55"),
    row("BTC-13MAR26-75000-C,call,75000.0", "0.01", "0.60"),
  ]
  static func row(_ option: String, _ mark: String, _ volatility: String) -> String {
    "2026-03-04T09:33:15.571346+00:00,\(option),2026-03-13T08:00:00+00:00,\(mark),71000.0,BTC-13MAR26,\(volatility),"
      + "BTC,70990.0"
  }

  @Test func aStrikeWithOneSideListsThatSideOnly() throws {
    let chain = try DeribitChain(text: ([Self.header] + Self.good).joined(separator: "\n"), name: "chain.csv")
    let (text, report) = try DeribitImport.instrumentFile(of: chain, now: Self.now, asRecorded: false, name: "x")
    #expect(report.options == 3 && report.futures == 1 && report.perpetuals == 1)
    #expect(report.shiftDays == 304 && report.excluded.isEmpty)
    let market = try ListingFile(text: text, name: "x").open(at: Self.now).market
    #expect(market.instrument(named: "BTC-11JAN27-75000-C") != nil)
    #expect(market.instrument(named: "BTC-11JAN27-75000-P") == nil)
  }

  @Test(arguments: [
    ("BTC-13MAR26-70000-C", "BTC-13MAR26-71000-C", "instrument_name contradicts the row's fields"),
    (",call,", ",CALL,", "option_type is neither call nor put"),
    (",70000.0,2026", ",nan,2026", "strike is no positive decimal"),
    (",70000.0,2026", ",-70000.0,2026", "strike is no positive decimal"),
    ("2026-03-13T08:00:00", "2026-03-13T09:00:00", "expiry is not at 08:00 UTC"),
    ("2026-03-13T08:00:00", "soon", "expiry_datetime is no time"),
    ("2026-03-13T08:00:00", "2026-03-03T08:00:00", "expired at the snapshot"),
    (",0.55,", ",,", "implied_volatility is missing"),
    (",0.55,", ",-0.1,", "implied_volatility is out of range"),
    (",0.55,", ",nan,", "implied_volatility is out of range"),
    (",0.03,", ",x,", "mark_price is no number"),
    (",71000.0,", ",0,", "futures_price is out of range"),
    (",71000.0,", ",inf,", "futures_price is out of range"),
    (",71000.0,", ",7100000.0,", "forward too far from the index"),
    (",70990.0", ",", "index_price is missing"),
    (",BTC,", ",btc,", "currency is no ticker"),
    ("2026-03-04T09:33:15.571346+00:00", "yesterday", "timestamp is no time"),
    ("2026-03-04T09:33:15.571346+00:00", "2026-03-04,", "not as many fields as the header"),
  ])
  func aBadRowIsExcludedAndCountedByItsReason(_ good: String, _ bad: String, _ reason: String) throws {
    let spoiled = Self.good[0].replacingOccurrences(of: good, with: bad)
    #expect(spoiled != Self.good[0])
    let text = [Self.header, Self.good[1], Self.good[2], spoiled].joined(separator: "\n")
    let chain = try DeribitChain(text: text, name: "chain.csv")
    let report = try DeribitImport.instrumentFile(of: chain, now: Self.now, asRecorded: false, name: "x").report
    #expect(report.rows == 3 && report.options == 2)
    #expect(report.excluded.map(\.reason) == [reason] && report.excluded.map(\.count) == [1])
  }

  @Test func anInstrumentThatIsThereTwiceCountsOnce() throws {
    let text = ([Self.header] + Self.good + [Self.good[0]]).joined(separator: "\r\n")
    let chain = try DeribitChain(text: text, name: "chain.csv")
    #expect(chain.rows.count == 3 && chain.excluded.map(\.reason) == ["instrument is there twice"])
  }

  @Test func aFileThatIsNoChainIsRefused() throws {
    #expect(throws: ListingError.self) { try DeribitChain(text: "", name: "x") }
    #expect {
      try DeribitChain(text: "timestamp,strike\n1,2", name: "x")
    } throws: { ($0 as? ListingError)?.rule.contains("column is missing") == true }
    #expect {
      try DeribitChain(text: Self.header + "\na,b", name: "x")
    } throws: { ($0 as? ListingError)?.rule.contains("1 not as many fields") == true }
    #expect(throws: ListingError.self) {
      try DeribitImport.run(csvGzPath: "/nonexistent.csv.gz", out: "/tmp/x", now: Self.now)
    }
    let broken = Place.temporary("broken.csv.gz")
    try Data([0x1F, 0x8B, 8, 0, 1, 2, 3]).write(to: URL(fileURLWithPath: broken))
    defer { try? FileManager.default.removeItem(atPath: broken) }
    #expect {
      try DeribitChain.load(broken)
    } throws: { ($0 as? ListingError)?.rule.contains("cannot be decompressed") == true }
  }

  @Test func aPathThatCannotBeWrittenIsRefused() throws {
    let source = Place.temporary("chain.csv")
    try ([Self.header] + Self.good).joined(separator: "\n").write(toFile: source, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: source) }
    #expect {
      try DeribitImport.run(csvGzPath: source, out: "/nonexistent/out.toml", now: Self.now)
    } throws: { ($0 as? ListingError)?.rule.contains("cannot be written") == true }
  }
}
