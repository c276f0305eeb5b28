import Listing
import Market
import Pricing
import Wire

/// What marks are made of, while instruments join the market.
struct ListedPricing {
  /// As it was opened, and what risk has listed since.
  private(set) var market: MarketDefinition
  private(set) var calculator: MarkCalculator

  init(_ listing: Listing) throws(PricingRefusal) {
    market = listing.market
    calculator = try listing.markCalculator()
  }

  /// Takes what is new; an instrument that cannot be priced is known and has no marks.
  mutating func take(_ listings: Listings) -> [(instrument: Instrument, refusal: PricingRefusal?)] {
    market.take(listings).map { instrument in
      do throws(PricingRefusal) {
        var priced = calculator.market
        priced.instruments.append(instrument)
        calculator = try MarkCalculator(market: priced, surface: calculator.surface, settings: calculator.settings)
        return (instrument, nil)
      } catch {
        return (instrument, error)
      }
    }
  }
}
