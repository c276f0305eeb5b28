import Market

/// Names of contracts as on Deribit: `BTC-PERPETUAL`, `BTC-27MAR27`, `BTC-27MAR27-100000-C`; linear ones begin with
/// `BTC_USDC`.
enum ContractName {
  /// Whether the text can name a currency or an underlying: 2 to 8 capital letters or digits.
  static func isTicker(_ text: String) -> Bool {
    (2...8).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
      }
  }

  /// `100000`, or `0d95` for 0.95.
  static func strike(_ strike: Price) -> String {
    String(strike.description.map { $0 == "." ? "d" : $0 })
  }

  private static func stem(_ underlying: String, _ settlement: Instrument.Settlement, dollar: String) -> String {
    settlement == .linear ? "\(underlying)_\(dollar)" : underlying
  }

  static func perpetual(_ underlying: String, _ settlement: Instrument.Settlement, dollar: String) -> String {
    "\(stem(underlying, settlement, dollar: dollar))-PERPETUAL"
  }

  static func future(
    _ underlying: String, _ settlement: Instrument.Settlement, dollar: String, day: CalendarDay
  ) -> String {
    "\(stem(underlying, settlement, dollar: dollar))-\(day.contractName)"
  }

  static func option(
    _ underlying: String, _ settlement: Instrument.Settlement, dollar: String, day: CalendarDay, strike: Price,
    isCall: Bool
  ) -> String {
    "\(future(underlying, settlement, dollar: dollar, day: day))-\(self.strike(strike))-\(isCall ? "C" : "P")"
  }
}
