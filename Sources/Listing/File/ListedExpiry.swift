import Market
import Pricing

/// One expiry of an underlying as listed: its day, what is listed for it, and its smile.
public struct ListedExpiry: Sendable {
  public enum Day: Sendable, Hashable {
    /// So many days after the day of the first opening.
    case afterOpening(Int64)
    case on(CalendarDay)
  }

  public var day: Day
  /// Annual carry of the forward; `nil` for the underlying's.
  public var carry: Double?
  public var futures: [Instrument.Settlement]
  public var options: [Instrument.Settlement]
  public var strikes: [Price]
  /// Options that are not listed though their strike is, such as `100000-P`.
  public var unlisted: Set<String>
  public var smile: ExpirySlice.Smile?

  /// One `[[underlyings.expiries]]` table.
  init(reading section: Section, terms: [ContractTerms], openingIndex: Price) throws(ListingError) {
    var section = section
    switch (section.has("days"), section.has("date")) {
    case (true, false): day = .afterOpening(try section.integer("days", in: 1...3_650))
    case (false, true): day = .on(try section.day("date"))
    default: throw section.refusal("days", "an expiry needs either days or date", value: "")
    }
    let quotings = ContractTerms.quotings
    futures = try section.words("futures", of: quotings)
    options = try section.words("options", of: quotings)
    for (key, kind, listed) in [
      ("futures", ContractTerms.Kind.future, futures), ("options", .option, options),
    ] {
      for quoting in listed {
        let word = quotings.first { $0.1 == quoting }?.0 ?? ""
        guard terms.contains(where: { $0.kind == kind && $0.quoting == quoting }) else {
          throw section.refusal(
            key, "needs a contract with kind = \"\(kind)\" and quoting = \"\(word)\"", value: "\"\(word)\"")
        }
        guard listed.filter({ $0 == quoting }).count == 1 else {
          throw section.refusal(key, "must be named once", value: "\"\(word)\"")
        }
      }
    }
    strikes = try Self.strikes(&section, openingIndex: openingIndex)
    guard strikes.isEmpty == options.isEmpty else {
      throw section.refusal("strikes", "options need strikes, and strikes need options", value: "")
    }
    unlisted = []
    let names = strikes.flatMap { strike in ["C", "P"].map { "\(ContractName.strike(strike))-\($0)" } }
    for name in try section.texts("unlisted") {
      guard names.contains(name) else {
        throw section.refusal("unlisted", "must be a listed strike with -C or -P", value: "\"\(name)\"")
      }
      unlisted.insert(name)
    }
    let range = ExpirySlice.carries
    carry = section.has("carry") ? try section.number("carry", in: range) : nil
    smile = try Self.smile(&section, day: day)
    guard carry == nil || smile != nil else {
      throw section.refusal("carry", "needs a smile beside it; else the carry of the underlying holds")
    }
    try section.finish()
  }

  /// A list of strikes, or { step, count } around the opening index.
  private static func strikes(_ section: inout Section, openingIndex: Price) throws(ListingError) -> [Price] {
    guard section.has("strike_step") || section.has("strike_count") else {
      let strikes = try section.decimals("strikes")
      guard strikes.count <= 1_024, Set(strikes).count == strikes.count else {
        throw section.refusal("strikes", "must be at most 1024 different ones")
      }
      return strikes.sorted()
    }
    guard !section.has("strikes") else {
      throw section.refusal("strikes", "either a list, or strike_step and strike_count")
    }
    let step = try section.decimal("strike_step")
    let count = try section.integer("strike_count", in: 1...1_023)
    let centre = (openingIndex.units + step.units / 2) / step.units
    let first = centre - count / 2
    let (highest, overflow) = (first + count).multipliedReportingOverflow(by: step.units)
    guard first >= 1, !overflow, highest <= 1_000_000_000_000_000_000 else {
      throw section.refusal(
        "strike_count", "the lowest strike must stay positive: fewer, or a smaller strike_step")
    }
    return (first..<first + count).map { Price(units: $0 * step.units) }
  }

  private static func smile(_ section: inout Section, day: Day) throws(ListingError) -> ExpirySlice.Smile? {
    guard var table = try section.table("smile") else { return nil }
    let smile: ExpirySlice.Smile
    if table.has("a") {
      let range = -1e6...1e6
      let a = try table.number("a", in: range)
      let b = try table.number("b", in: range)
      let rho = try table.number("rho", in: range)
      let m = try table.number("m", in: range)
      let sigma = try table.number("sigma", in: range)
      // Total variance belongs to a time to expiry: that of the opening, unless the file says otherwise.
      var years: Double?
      if case .afterOpening(let days) = day { years = Double(days) / 365 }
      years = try table.number("years", default: years, in: range)
      do throws(PricingRefusal) {
        smile = .svi(try SVIParameters(a: a, b: b, rho: rho, m: m, sigma: sigma, referenceYears: years ?? 0))
      } catch { throw section.refusal("smile", error) }
    } else {
      let axis = table.has("log_moneyness") ? SmilePoints.Axis.logMoneyness : .strike
      let places = try table.numbers(axis == .strike ? "strikes" : "log_moneyness")
      let volatilities = try table.numbers("volatilities")
      do throws(PricingRefusal) {
        smile = .points(try SmilePoints(axis: axis, places: places, volatilities: volatilities))
      } catch { throw section.refusal("smile", error) }
    }
    try table.finish()
    return smile
  }
}
