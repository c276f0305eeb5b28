import Foundation
import Market

/// A two-sided quote as a market maker asks for it.
public struct QuoteRequest: Sendable {
  /// One side: a price and a quantity.
  public struct Side: Sendable, Hashable {
    public var price: Price
    public var quantity: Quantity

    /// Reads `PRICE@QUANTITY`.
    public init(reading text: String, _ option: String) throws(CommandMistake) {
      let parts = text.split(separator: "@", omittingEmptySubsequences: false)
      guard parts.count == 2, let price = Price(String(parts[0])), let quantity = Quantity(String(parts[1])) else {
        throw CommandMistake("\(option) \(text): it must be PRICE@QUANTITY, such as 99500@100")
      }
      self.init(price: price, quantity: quantity)
    }
    public init(price: Price, quantity: Quantity) {
      self.price = price
      self.quantity = quantity
    }
  }

  public var instrument: String
  /// A side that is absent is left empty: what stood there goes.
  public var bid: Side?
  public var ask: Side?

  public init(instrument: String, bid: Side?, ask: Side?) {
    self.instrument = instrument
    self.bid = bid
    self.ask = ask
  }

  /// What holds for every quote of one command.
  public struct Terms: Sendable {
    public var isPostOnly = false
    public var isSliding = false
    public var isCancelledOnDisconnect = false
    /// Seconds after which the quotes end; without it they stay.
    public var expiresSeconds: UInt32?
    public var label: UInt32?
    public init() {}

    public func validate() throws(CommandMistake) {
      if isSliding, !isPostOnly { throw CommandMistake("--slide: only quotes with --post-only slide; add that") }
      if label == 0 { throw CommandMistake("--label 0: labels are from 1 on; leave it out for none") }
    }
  }

  /// The operation to sign, each side on the instrument's tick and lot.
  public func operation(on listed: Instrument, _ terms: Terms) throws(CommandMistake) -> Market.Operation {
    try terms.validate()
    for (side, option) in [(bid, "--bid"), (ask, "--ask")] {
      guard let side else { continue }
      try listed.check(side.price, option)
      try listed.check(side.quantity, option)
    }
    if let bid, let ask, bid.price >= ask.price {
      throw CommandMistake("--bid \(bid.price) and --ask \(ask.price) on \(listed.name): the bid must be below the ask")
    }
    var flags: Market.Operation.Flags = []
    if terms.isPostOnly { flags.insert(.postOnly) }
    if terms.isSliding { flags.insert(.slide) }
    if terms.isCancelledOnDisconnect { flags.insert(.cancelOnDisconnect) }
    return Market.Operation(
      kind: .quote, timeInForce: terms.expiresSeconds == nil ? .goodTillCancelled : .goodTillDate, flags: flags,
      instrument: listed.id, price: bid?.price ?? .zero, quantity: bid?.quantity ?? .zero,
      expiry: try terms.expiresSeconds.map { seconds throws(CommandMistake) in try OrderTicket.date(in: seconds) } ?? 0,
      label: terms.label ?? 0, triggerPrice: ask?.price ?? .zero, displayQuantity: ask?.quantity ?? .zero)
  }
}

/// A file of quotes, a line each.
public enum QuoteFile {
  private struct Line: Decodable {
    var instrument: String
    var bid: String?
    var ask: String?
  }

  public static func load(_ path: String) throws -> [QuoteRequest] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw CommandMistake("--file \(path): cannot be read; it must hold a quote a line")
    }
    return try parse(text, name: path)
  }

  /// Reads CSV (`instrument,bid price,bid quantity,ask price,ask quantity`, empty fields for an empty side) or one JSON
  /// object a line (`instrument`, `bid` and `ask` as PRICE@QUANTITY). Empty lines, lines that begin with `#`, and a CSV
  /// heading are passed over.
  public static func parse(_ text: String, name: String) throws(CommandMistake) -> [QuoteRequest] {
    var quotes: [QuoteRequest] = []
    var seen: Set<String> = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.trimmingCharacters(in: .whitespacesAndNewlines)
      if line.isEmpty || line.hasPrefix("#") || line.lowercased().hasPrefix("instrument,") { continue }
      let place = "\(name):\(number + 1)"
      let quote = line.hasPrefix("{") ? try object(line, place) : try row(line, place)
      guard seen.insert(quote.instrument.uppercased()).inserted else {
        throw CommandMistake("\(place): \(quote.instrument) is quoted twice; a quote has one bid and one ask")
      }
      quotes.append(quote)
    }
    if quotes.isEmpty { throw CommandMistake("--file \(name): it holds no quote") }
    return quotes
  }

  private static func object(_ line: String, _ place: String) throws(CommandMistake) -> QuoteRequest {
    guard let line = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)) else {
      throw CommandMistake("\(place): it must be {\"instrument\": …, \"bid\": \"PRICE@QUANTITY\", \"ask\": …}")
    }
    let bid = try line.bid.map { text throws(CommandMistake) in try QuoteRequest.Side(reading: text, "\(place): bid") }
    let ask = try line.ask.map { text throws(CommandMistake) in try QuoteRequest.Side(reading: text, "\(place): ask") }
    return QuoteRequest(instrument: line.instrument, bid: bid, ask: ask)
  }

  private static func row(_ line: String, _ place: String) throws(CommandMistake) -> QuoteRequest {
    let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    guard cells.count == 5 else {
      throw CommandMistake(
        "\(place): \(cells.count) fields; a line is instrument,bid price,quantity,ask price,quantity")
    }
    func side(_ price: String, _ quantity: String, _ name: String) throws(CommandMistake) -> QuoteRequest.Side? {
      if price.isEmpty, quantity.isEmpty { return nil }
      return try QuoteRequest.Side(reading: "\(price)@\(quantity)", "\(place): \(name)")
    }
    return QuoteRequest(
      instrument: cells[0], bid: try side(cells[1], cells[2], "bid"), ask: try side(cells[3], cells[4], "ask"))
  }
}
