import Bytes
import Foundation
import Market
import Testing

@testable import Listing

/// A small sound file whose lines a test replaces.
private let sound = """
  version = 1
  [[currencies]]
  name = "USDC"
  [[currencies]]
  name = "BTC"
  underlying = "BTC"
  [[underlyings]]
  name = "BTC"
  opening_index = 100000
  [[underlyings.contracts]]
  kind = "perpetual"
  quoting = "inverse"
  tick_size = 0.5
  lot_size = 10
  [[underlyings.contracts]]
  kind = "option"
  quoting = "coin"
  tick_size = 0.0001
  lot_size = 0.1
  [[underlyings.expiries]]
  days = 7
  options = ["coin"]
  strikes = [90000, 100000]
  unlisted = ["90000-P"]
  smile = { strikes = [90000, 100000], volatilities = [0.6, 0.5] }
  """

private let steps = "underlyings[0].contracts[0].tick_steps"

@Suite struct RefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var line: String
    var becomes: String
    var field: String
    var at: Int?
    var rule: String
    init(_ line: String, _ becomes: String, _ field: String, _ at: Int?, _ rule: String) {
      self.line = line
      self.becomes = becomes
      self.field = field
      self.at = at
      self.rule = rule
    }
    var testDescription: String { becomes }
  }

  static func refusal(_ text: String) -> ListingError? {
    do throws(ListingError) {
      _ = try ListingFile(text: text, name: "market.toml").open(at: ShippedListingTests.now)
      return nil
    } catch { return error }
  }

  @Test func theOperatorAndTheQueuesLimitsAreParameters() throws {
    let text = "\(sound)\n[parameters]\nqueued_operations = 7\nindicative_interval_ms = 250\n"
    let plain = try ListingFile(text: text, name: "market.toml").parameters
    #expect(plain.queuedOperations == 7 && plain.indicativeInterval == .milliseconds(250))
    #expect(plain.operatorAddress == .zero)
    let address = "0x00000000000000000000000000000000000000ff"
    let named = try ListingFile(text: "\(text)operator_address = \"\(address)\"\n", name: "market.toml").parameters
    #expect(named.operatorAddress.description == address)
  }

  @Test func theSoundFileOpens() throws {
    #expect(Self.refusal(sound) == nil)
    let market = try ListingFile(text: sound, name: "market.toml").open(at: ShippedListingTests.now).market
    #expect(
      market.instruments.map(\.name) == [
        "BTC-PERPETUAL", "BTC-8JAN27-90000-C", "BTC-8JAN27-100000-C", "BTC-8JAN27-100000-P",
      ])
    #expect(market.shardCount == 1)
  }

  @Test(arguments: [
    Case("version = 1", "version = 2", "version", 1, "from 1 to 1"),
    Case("version = 1", "versoin = 1", "version", nil, "missing"),
    Case("version = 1", "version = 1\nflavour = 3", "flavour", 2, "no such field; here are currencies"),
    Case("version = 1", "version = 1\n[parameters]\ntaker_fee_ppm = -1", "parameters.taker_fee_ppm", 3, "0 to 100000"),
    Case("version = 1", "version = 1\n[parameters]\nfee = 1", "parameters.fee", 3, "taker_fee_ppm"),
    Case(
      "version = 1", "version = 1\n[parameters]\nmaintenance_margin_factor_ppm = 1100000",
      "parameters.maintenance_margin_factor_ppm", 3, "must not exceed initial"),
    Case(
      "version = 1", "version = 1\n[parameters]\nheartbeat_interval_ms = 2000", "parameters.heartbeat_interval_ms", 3,
      "shorter than heartbeat_lapse_ms"),
    Case(
      "version = 1", "version = 1\n[parameters]\ntrade_module = \"0x12\"", "parameters.trade_module", 3,
      "40 hexadecimal digits"),
    Case(
      "version = 1",
      "version = 1\n[parameters]\nbatch_module = \"0x6e6f766174696f6e000000000000000000000101\"",
      "parameters.batch_module", 3, "three addresses"),
    Case("version = 1", "version = 1\n[marks]\nfuture_band = nan", "marks.future_band", 3, "from 0.0001 to 0.9"),
    Case("version = 1", "version = 1\nparameters = 3", "parameters", 2, "must be a table"),
    Case("name = \"USDC\"", "name = \"usd\"", "currencies[0].name", 3, "capital letters"),
    Case(
      "name = \"USDC\"", "name = \"USDC\"\ncollateral_weight_ppm = 900000", "currencies[0].collateral_weight_ppm", 4,
      "counts whole"),
    Case("underlying = \"BTC\"", "underlying = \"XRP\"", "currencies[1].underlying", 6, "must be one of BTC"),
    Case("underlying = \"BTC\"", "", "currencies[1].underlying", 4, "the first currency is the dollar"),
    Case("opening_index = 100000", "opening_index = 0", "underlyings[0].opening_index", 9, "positive decimal"),
    Case("opening_index = 100000", "opening_index = \"x\"", "underlyings[0].opening_index", 9, "positive decimal"),
    Case("opening_index = 100000", "opening_index = inf", "underlyings[0].opening_index", 9, "positive decimal"),
    Case(
      "opening_index = 100000", "opening_index = 0.123456789", "underlyings[0].opening_index", 9, "at most 8 places"),
    Case("opening_index = 100000", "opening_index = 99999999", "underlyings[0].opening_index", 9, "at most 10000000"),
    Case(
      "opening_index = 100000", "opening_index = 100000\ncarry = 11", "underlyings[0].carry", 10, "from -10.0 to 10.0"),
    Case(
      "kind = \"perpetual\"", "kind = \"swap\"", "underlyings[0].contracts[0].kind", 11, "perpetual, future, option"),
    Case("quoting = \"inverse\"", "quoting = \"coin\"", "underlyings[0].contracts[0].quoting", 12, "linear or inverse"),
    Case("tick_size = 0.5", "tick_size = -1", "underlyings[0].contracts[0].tick_size", 13, "positive decimal"),
    Case("tick_size = 0.5", "", "underlyings[0].contracts[0].tick_size", 10, "missing"),
    Case(
      "lot_size = 10", "lot_size = 10\nminimum_order = 0", "underlyings[0].contracts[0].minimum_order", 15, "from 1"),
    Case(
      "lot_size = 10", "lot_size = 10\nminimum_order = 20000", "underlyings[0].contracts[0].minimum_order", 15,
      "must not exceed maximum_order, 10000"),
    Case("tick_size = 0.5", "tick_size = 0.5\ntick_steps = 7", "\(steps)", 14, "must be a list"),
    Case("tick_size = 0.5", "tick_size = 0.5\ntick_steps = [[100]]", "\(steps)", 14, "list of pairs"),
    Case("tick_size = 0.5", "tick_size = 0.5\ntick_steps = [[0, 1]]", "\(steps)", 14, "list of pairs"),
    Case("tick_size = 0.5", "tick_size = 0.5\ntick_steps = [[100, 0.5]]", "\(steps)", 14, "ascend"),
    Case("tick_size = 0.5", "tick_size = 0.5\ntick_steps = [[100, 2], [50, 5]]", "\(steps)", 14, "ascend"),
    Case("tick_size = 0.5", "tick_size = 0.5\ntick_steps = [[100, 0.75]]", "\(steps)", 14, "multiple of tick_size"),
    Case("tick_size = 0.5", "tick_size = 0.5\ntick_steps = [[101, 2]]", "\(steps)", 14, "on a tick of its own"),
    Case(
      "tick_size = 0.5",
      "tick_size = 0.5\ntick_steps = [[10,1],[20,2],[40,4],[80,8],[160,16],[320,32],[640,64],[1280,128],[2560,256]]",
      "\(steps)", 14, "at most 8"),
    Case(
      "lot_size = 10", "lot_size = 10\nmaximum_order = 0", "underlyings[0].contracts[0].maximum_order", 15, "from 1"),
    Case(
      "lot_size = 10", "lot_size = 10000000000\nmaximum_order = 1000000000",
      "underlyings[0].contracts[0].maximum_order", 15, "must be at most 10000000000"),
    Case("kind = \"option\"", "kind = \"perpetual\"", "underlyings[0].contracts[1].quoting", 17, "linear or inverse"),
    Case("days = 7", "days = 0", "underlyings[0].expiries[0].days", 21, "from 1 to 3650"),
    Case("days = 7", "", "underlyings[0].expiries[0].days", 20, "either days or date"),
    Case("days = 7", "date = 2027-02-30", "", 21, "not TOML"),
    Case("days = 7", "date = \"tomorrow\"", "underlyings[0].expiries[0].date", 21, "2027-03-27"),
    Case(
      "options = [\"coin\"]", "options = [\"linear\"]", "underlyings[0].expiries[0].options", 22, "needs a contract"),
    Case("options = [\"coin\"]", "options = [\"cion\"]", "underlyings[0].expiries[0].options", 22, "must be some of"),
    Case(
      "options = [\"coin\"]", "options = [\"coin\", \"coin\"]", "underlyings[0].expiries[0].options", 22, "named once"),
    Case("options = [\"coin\"]", "", "underlyings[0].expiries[0].strikes", 23, "strikes need options"),
    Case(
      "strikes = [90000, 100000]\nunl", "strikes = [1, 1]\nunl", "underlyings[0].expiries[0].strikes", 23, "different"),
    Case(
      "strikes = [90000, 100000]\nunl", "strike_step = 50000\nstrike_count = 9\nunl",
      "underlyings[0].expiries[0].strike_count", 24, "must stay positive"),
    Case("[\"90000-P\"]", "[\"80000-P\"]", "underlyings[0].expiries[0].unlisted", 24, "listed strike"),
    Case("volatilities = [0.6, 0.5]", "volatilities = [0.6]", "underlyings[0].expiries[0].smile", 25, "as many"),
    Case("volatilities = [0.6, 0.5]", "volatilities = [0.6, nan]", "underlyings[0].expiries[0].smile", 25, "number"),
    Case(
      "smile = { strikes = [90000, 100000], volatilities = [0.6, 0.5] }",
      "smile = { a = -1, b = 0.1, rho = 0, m = 0, sigma = 0.1 }", "underlyings[0].expiries[0].smile", 25,
      "lowest total variance"),
    Case(
      "smile = { strikes = [90000, 100000], volatilities = [0.6, 0.5] }", "", "underlyings[0].expiries", 7,
      "need a smile"),
    Case(
      "smile = { strikes = [90000, 100000], volatilities = [0.6, 0.5] }", "carry = 0.1",
      "underlyings[0].expiries[0].carry", 25, "needs a smile"),
    Case(
      "lot_size = 0.1", "lot_size = 0.1\n[[underlyings.expiries]]\ndays = 7", "underlyings[0].expiries[1].days", nil,
      "listed already"),
  ])
  func aWrongFieldIsNamedWithItsLineAndWhatWouldBeRight(_ wrong: Case) throws {
    #expect(sound.contains(wrong.line))
    let text = sound.replacingOccurrences(of: wrong.line, with: wrong.becomes)
    let error = try #require(Self.refusal(text), "not refused")
    #expect(error.field == wrong.field, "\(error)")
    #expect(error.rule.contains(wrong.rule), "\(error)")
    #expect(error.file == "market.toml")
    if let line = wrong.at { #expect(error.line == line, "\(error)") }
  }

  @Test func aCoinSettledContractNeedsItsCoinAsACurrency() throws {
    let text = sound.replacingOccurrences(of: "[[currencies]]\nname = \"BTC\"\nunderlying = \"BTC\"\n", with: "")
    let error = try #require(Self.refusal(text))
    #expect(error.rule.contains("list a currency with underlying = \"BTC\""))
  }

  @Test func aFileThatIsNotThereOrNotTextIsRefused() throws {
    #expect {
      try ListingFile.load("/nonexistent/market.toml")
    } throws: { ($0 as? ListingError)?.rule.contains("cannot be read") == true }
    let path = Place.temporary("market.toml")
    try Data([0xFF, 0xFE, 0x00]).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect {
      try ListingFile.load(path)
    } throws: { ($0 as? ListingError)?.rule.contains("UTF-8") == true }
  }

  @Test func passedExpiriesAreLeftOutAndAMarketOfNothingElseIsRefused() throws {
    let dated = sound.replacingOccurrences(of: "days = 7", with: "date = 2026-03-27")
    let listing = try ListingFile(text: dated, name: "market.toml").open(at: ShippedListingTests.now)
    #expect(listing.market.instruments.map(\.name) == ["BTC-PERPETUAL"])
    #expect(listing.expired.map(\.description) == ["2026-03-27"])
    let option = "kind = \"perpetual\"\nquoting = \"inverse\""
    let bare = dated.replacingOccurrences(of: option, with: "kind = \"future\"\nquoting = \"inverse\"")
    #expect(Self.refusal(bare)?.rule.contains("no instrument alive") == true)
  }

  @Test func anExpiryBeyondTheSubIDsRangeIsRefused() throws {
    let late = Timestamp(seconds: 49_670 * 86_400)
    #expect {
      try ListingFile(text: sound, name: "market.toml").open(at: late)
    } throws: { ($0 as? ListingError)?.rule == "must lie before 2106" }
    for now in [Timestamp.never, Timestamp(nanoseconds: .min)] {
      #expect(throws: ListingError.self) { try ListingFile(text: sound, name: "market.toml").open(at: now) }
    }
  }

  @Test func theSameDayAsDaysAndAsDateIsRefused() throws {
    let twice = sound + "\n[[underlyings.expiries]]\ndate = 2027-01-08"
    #expect(Self.refusal(twice)?.rule.contains("falls twice") == true)
  }

  @Test func errorsReadWellInATerminal() throws {
    let text = sound.replacingOccurrences(of: "tick_size = 0.5", with: "tick_size = -1")
    #expect(
      Self.refusal(text)?.description
        == "market.toml:13: underlyings[0].contracts[0].tick_size is -1: must be a positive decimal of at most 8 places"
    )
  }
}
